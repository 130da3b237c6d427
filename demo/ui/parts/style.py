"""How the page looks: its theme, in the colours of its feature maps, and the sheets of demo/ui/styles."""

import base64
from pathlib import Path
from string import Template

import gradio as gr

from demo.data.samples import EXAMPLES, read_thumbnail
from demo.ui.parts.chart import chart_rules
from demo.ui.parts.icons import icon_rules
from demo.ui.server.assets import STYLED

# System fonts only: nothing is fetched, and Chinese is drawn by whichever of these is installed.
_FONTS = ["system-ui", "Segoe UI", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "sans-serif"]
_MONO = ["ui-monospace", "Consolas", "monospace"]

# viridis, in which the maps are drawn, gives the page its colours: its blue-green to act, its violet to write.
_TEAL = (
    *("#eef6f8", "#d9ebf0", "#b3d7e0", "#82bccb", "#4a9bb0"),
    *("#2a7f96", "#1f6a80", "#1a5669", "#154554", "#103642", "#0a232c"),
)
_INK = (
    *("#f7f6f9", "#eeecf2", "#dedbe5", "#c4bfcf", "#9a94a8"),
    *("#6f697e", "#555064", "#3f3a4c", "#2a2635", "#1c1925", "#121018"),
)
_TEXT_PX = {"xxs": 12, "xs": 13, "sm": 14, "md": 16, "lg": 18, "xl": 22, "xxl": 28}
_PROJECTED = 1.5  # from the last row of a classroom

# In the style sheets a $name is a class of gradio's own.
_STYLES = Path(__file__).parents[1] / "styles"
# Later sheets have the last word.
_SHEETS = ("page", "charts", "projector", "predict", "finetune", "inside", "lesson", "glossary")


def theme() -> gr.themes.Base:
    """Return the theme of the page: all text has a contrast of at least 4.5, in light and dark."""
    teal, ink = gr.themes.Color(*_TEAL, name="teal"), gr.themes.Color(*_INK, name="ink")
    sizes = gr.themes.Size(**{name: f"{px}px" for name, px in _TEXT_PX.items()}, name="text")
    base = gr.themes.Base(
        primary_hue=teal,
        secondary_hue=teal,
        neutral_hue=ink,
        text_size=sizes,
        radius_size=gr.themes.sizes.radius_md,
        font=_FONTS,
        font_mono=_MONO,
    )
    return base.set(**_in_both(_COLOURS), **_SHAPES)


# Each is for light, then for dark.
_COLOURS = {
    "body_background_fill": ("*neutral_50", "*neutral_950"),
    "background_fill_primary": ("white", "*neutral_900"),
    "background_fill_secondary": ("*neutral_100", "*neutral_800"),
    "body_text_color": ("*neutral_900", "*neutral_100"),
    "body_text_color_subdued": ("*neutral_600", "*neutral_300"),
    "border_color_primary": ("*neutral_200", "*neutral_700"),
    "color_accent_soft": ("*primary_50", "*primary_900"),
    "border_color_accent": ("*primary_600", "*primary_300"),
    "link_text_color": ("*primary_700", "*primary_300"),
    "link_text_color_hover": ("*primary_900", "*primary_200"),
    "link_text_color_active": ("*primary_900", "*primary_200"),
    "link_text_color_visited": ("*primary_700", "*primary_300"),
    "block_background_fill": ("white", "*neutral_900"),
    "block_info_text_color": ("*neutral_600", "*neutral_300"),
    "block_label_background_fill": ("white", "*neutral_900"),
    "block_label_text_color": ("*neutral_700", "*neutral_200"),
    "block_title_text_color": ("*neutral_700", "*neutral_200"),
    "input_background_fill": ("white", "*neutral_800"),
    "input_border_color": ("*neutral_500", "*neutral_400"),
    "input_border_color_focus": ("*primary_600", "*primary_300"),
    "input_placeholder_color": ("*neutral_500", "*neutral_300"),
    "button_primary_background_fill": ("*primary_600", "*primary_300"),
    "button_primary_background_fill_hover": ("*primary_700", "*primary_200"),
    "button_primary_border_color": ("*primary_600", "*primary_300"),
    "button_primary_text_color": ("white", "*primary_950"),
    "button_secondary_background_fill": ("white", "*neutral_800"),
    "button_secondary_background_fill_hover": ("*primary_50", "*neutral_700"),
    "button_secondary_border_color": ("*neutral_400", "*neutral_500"),
    "button_secondary_border_color_hover": ("*primary_600", "*primary_300"),
    "button_secondary_text_color": ("*neutral_800", "*neutral_100"),
    "checkbox_background_color_selected": ("*primary_600", "*primary_600"),
    "checkbox_border_color": ("*neutral_500", "*neutral_400"),
    "checkbox_label_background_fill": ("white", "*neutral_800"),
    "checkbox_label_background_fill_hover": ("*primary_50", "*neutral_700"),
    "checkbox_label_background_fill_selected": ("*primary_100", "*primary_800"),
    "checkbox_label_border_color": ("*neutral_300", "*neutral_600"),
    "checkbox_label_border_color_selected": ("*primary_600", "*primary_300"),
    "checkbox_label_text_color_selected": ("*primary_900", "*primary_50"),
    "error_text_color": ("#a31621", "#ffb4ab"),
    "slider_color": ("*primary_600", "*primary_300"),
    "stat_background_fill": ("*primary_600", "*primary_300"),
    "table_even_background_fill": ("white", "*neutral_900"),
    "table_odd_background_fill": ("*neutral_50", "*neutral_900"),
}
_SHAPES = {
    "color_accent": "*primary_600",  # of the dark one, for which gradio has no name, the sheet tells
    "block_border_width": "1px",
    "block_label_text_weight": "600",
    "block_title_text_weight": "600",
    "block_title_text_size": "*text_sm",
    "block_info_text_size": "*text_sm",
    "block_radius": "*radius_lg",
    "block_padding": "*spacing_lg *spacing_xl",
    "input_border_width": "1px",
    "input_padding": "*spacing_lg",
    "checkbox_label_border_width": "1px",
    "checkbox_label_text_size": "*text_sm",
    "button_border_width": "1px",
    "button_large_text_size": "*text_md",
    "button_large_text_weight": "600",
    "section_header_text_weight": "600",
    "layout_gap": "*spacing_xl",
}


def _in_both(colours: dict[str, tuple[str, str]]) -> dict[str, str]:
    return {name: light for name, (light, _) in colours.items()} | {
        f"{name}_dark": dark for name, (_, dark) in colours.items()
    }


def css() -> str:
    """Return the page's CSS."""
    return "\n".join([_projected_text(), *map(_read_sheet, _SHEETS), *chart_rules(), *icon_rules()])


_FIRST = ":is(#first, gradio-app)"  # stronger than gradio's own sheets, which come later


def first_css() -> str:
    """Return the CSS of documents, for what is seen before gradio's scripts have come, and is part of the page too.

    The thumbnails are in it: they need no file that could be swept, and no request.
    """
    rules = [
        f"{_FIRST} .example-{example.name} {{ background-image: url(data:image/jpeg;base64,{encoded}); }}"
        for example in EXAMPLES
        for encoded in [base64.b64encode(read_thumbnail(example)).decode()]
    ]
    return "\n".join([_read_sheet("answer"), *rules])


def _read_sheet(name: str) -> str:
    classes = {name.replace("-", "_"): f".{name}" for name in STYLED}
    return Template((_STYLES / f"{name}.css").read_text(encoding="utf-8")).substitute(classes)


def _projected_text() -> str:
    """Return the sizes of text under a projector, in px: gradio's plots read them, and no other unit."""
    sizes = "; ".join(f"--text-{name}: {round(_PROJECTED * px)}px" for name, px in _TEXT_PX.items())
    rule = f"html.projector {{ font-size: {100 * _PROJECTED:.0f}%; }}"
    return f"{rule}\n:root.projector.projector, :root.projector.projector body {{ {sizes}; }}"  # exacter than the theme
