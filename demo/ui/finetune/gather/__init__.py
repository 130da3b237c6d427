"""Tab 2, step 1: pictures are brought, and how they were read is shown, asked about and put right."""
