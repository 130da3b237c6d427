"""The public API: functions without any memory of who asked; for programs, and for agents by MCP."""
