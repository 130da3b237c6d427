"""Every event that fails ends with a sentence, whatever gradio makes of the values that it was sent."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from demo.data.store import no_room
from demo.errors import DemoError, log_unexpected
from demo.ui.server.errors import DiskFull, ValueNotFitting
from demo.ui.server.gate import words_for
from demo.words.language import ENGLISH

Step = Callable[..., Any]


def answer_failures(page: gr.Blocks) -> None:
    """Let a page's events end with a sentence where gradio itself would end them with none.

    What fails before a handler is called has failed by the values that were sent: no line of the log. What fails after
    it is ours, and is logged.
    """

    def check_inputs(read_inputs: Step) -> Step:
        async def read_checked(*arguments: Any, **options: Any) -> Any:
            try:
                with no_room(DiskFull()):
                    return await read_inputs(*arguments, **options)
            except (DemoError, MemoryError):
                raise
            except Exception as error:  # of any kind: components expect what their own page sends
                raise ValueNotFitting() from error

        return read_checked

    def end_with_sentence(run: Step) -> Step:
        async def run_to_sentence(*arguments: Any, **options: Any) -> Any:
            try:
                return await run(*arguments, **options)
            except gr.Error as error:
                if not error.print_exception:  # one of ours, which a handler has raised
                    raise
                raise _tell(ValueNotFitting(), options) from error
            except Exception as error:
                if not isinstance(error, DemoError):
                    log_unexpected(error, "gradio")
                raise _tell(error, options) from error

        return run_to_sentence

    page.preprocess_data = check_inputs(page.preprocess_data)
    page.process_api = end_with_sentence(page.process_api)


def _tell(error: Exception, options: dict[str, Any]) -> gr.Error:
    """Return what a page or a program is told, in the language of the request that the event came with."""
    request = options.get("request")
    words = words_for(request.headers) if isinstance(request, gr.Request) else ENGLISH
    return gr.Error(words.explain(error), print_exception=False)
