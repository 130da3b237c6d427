"""The icons of tabs and panels, as CSS: drawn here, in the colour of the text beside them, and sent with the sheet."""

from collections.abc import Iterator

# What is drawn, on 24 x 24, and the elements whose names it stands before: a panel may be a fold or a tab.
_ICONS = {
    "<path d='M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12z'/><circle cx='12' cy='12' r='3'/>": ("predict-tab",),
    "<path d='M2 9l10-5 10 5-10 5z'/><path d='M6 11.5V17c3 3 9 3 12 0v-5.5M22 9v6'/>": ("finetune-tab",),
    "<path d='M12 3l9 5-9 5-9-5z'/><path d='M3 13l9 5 9-5'/>": ("inside-tab", "head-builder", "layers-trial-panel"),
    "<rect x='3' y='4' width='18' height='16' rx='2'/><circle cx='9' cy='10' r='2'/><path d='M21 16l-5-5-9 9'/>": (
        "step-pictures",
    ),
    "<path d='M6 4l14 8-14 8z'/>": ("step-train",),
    "<rect x='3' y='3' width='18' height='18' rx='2'/><path d='M3 12h18M12 3v18'/>": ("step-wrong", "results"),
    "<path d='M9 3h6M10 3v6L4 20h16L14 9V3M7 15h10'/>": ("step-experiments", "few-panel"),
    "<path d='M12 3v12M7 11l5 5 5-5M4 20h16'/>": ("step-keep", "keep"),
    "<path d='M3 6h6l2 3h10v11H3z'/>": ("zip-tab",),
    "<path d='M3 8h5l2-3h4l2 3h5v12H3z'/><circle cx='12' cy='13' r='4'/>": ("classes-tab",),
    "<path d='M13 2L4 14h7l-1 8 9-12h-7z'/>": ("starters-tab",),
    "<rect x='3' y='4' width='7' height='16' rx='1'/><rect x='14' y='4' width='7' height='16' rx='1'/>": (
        "side-by-side",
        "copies-panel",
    ),
    "<path d='M4 18a9 9 0 1 1 16 0M12 14l4-5'/>": ("sureness",),
    "<circle cx='12' cy='12' r='9'/><path d='M12 7v5l3 3'/>": ("history",),
    "<circle cx='12' cy='12' r='9'/><path d='M9 9a3 3 0 1 1 4 3q-1 .5-1 2M12 16v2'/>": ("closing",),
    "<circle cx='12' cy='12' r='9'/><circle cx='12' cy='12' r='4'/>": ("class-maps-panel",),
    "<path d='M4 15L14 5l6 6-9 9H8zM9 10l6 6M11 20h9'/>": ("erase-panel",),
    "<path d='M3 3h18v18H3zM3 9h18M3 15h18M9 3v18M15 3v18'/>": ("kernels-panel",),
    "<path d='M12 3v18M3 12h18M9 6l3-3 3 3M9 18l3 3 3-3M6 9l-3 3 3 3M18 9l3 3-3 3'/>": ("moves-panel",),
    "<path d='M4 20V10M10 20V4M16 20v-7M21 20H2'/>": ("statistics-panel",),
    "<circle cx='12' cy='12' r='9'/><path d='M12 7v10M7 12h10'/>": ("residual-panel",),
    "<path d='M4 3h16v5H4zM4 16h16v5H4zM12 8v8'/>": ("blocks-panel",),
    "<circle cx='10' cy='10' r='7'/><path d='M15 15l6 6M10 7v6M7 10h6'/>": ("resolutions-panel",),
    "<path d='M3 20h5v-5h5v-5h5V5h4'/>": ("ladder-panel",),
    "<path d='M12 3v6M12 15v6M3 12h6M15 12h6'/>": ("channel-panel",),
    "<circle cx='15' cy='12' r='6'/><path d='M2 5l8 4M2 12h7M2 19l8-4M21 12h3'/>": ("neuron-panel",),
    "<path d='M7 3h10v4H7zM7 10h10v4H7zM7 17h10v4H7z'/>": ("depth-panel",),
    "<path d='M8 6l-6 6 6 6M16 6l6 6-6 6'/>": ("code-panel",),
    "<path d='M4 7h10M18 7h2M4 17h2M10 17h10'/><circle cx='16' cy='7' r='2'/><circle cx='8' cy='17' r='2'/>": (
        "recipe",
    ),
    "<circle cx='8' cy='8' r='4'/><path d='M1 20c0-8 14-8 14 0M16 4a4 4 0 0 1 0 8M18 14c3 0 5 3 5 6'/>": (
        "customers-panel",
        "faces-panel",
    ),
    "<path d='M5 21V4h13l-3 4 3 4H5'/>": ("race-panel",),
    "<path d='M3 11l18-8-7 18-3-8z'/>": ("push-panel",),
}
_SCREEN = "<rect x='2' y='4' width='20' height='13' rx='2'/><path d='M12 17v4M8 21h8'/>"
_SVG = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' stroke='black' stroke-width='2'>{}</svg>"
)
_LOOK = (
    'content: ""; flex: none; display: inline-block; width: 1.1em; height: 1.1em; margin-inline-end: 0.45em; '
    "vertical-align: -0.15em; background: currentcolor; mask: var(--icon) center / contain no-repeat;"
)


def icon_rules() -> Iterator[str]:
    """Yield the CSS of all icons."""
    icons = {
        drawn: [place for name in names for place in (f"#{name}-button", f"#{name} > .label-wrap > span:first-child")]
        for drawn, names in _ICONS.items()
    }
    icons[_SCREEN] = ["#projector"]
    for drawn, places in icons.items():
        at = ", ".join(f"{place}::before" for place in places)
        yield f'{at} {{ --icon: url("data:image/svg+xml,{_SVG.format(drawn)}"); {_LOOK} }}'
