"""How the page looks: gradio's own theme with fonts that every machine has, and a little CSS."""

import base64
from string import Template

import gradio as gr

from demo.data.samples import EXAMPLES, read_thumbnail
from demo.ui.server.internals import STYLED

# System fonts only: nothing is fetched, and Chinese is drawn by whichever of these is installed.
_FONTS = ["system-ui", "Segoe UI", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "sans-serif"]

# A $name is a class of gradio's own.
_CSS = """
$gradio_container { max-width: min(1180px, 100vw) !important; margin: 0 auto !important; overflow-x: clip; }
header h1 { font-size: 1.6rem; margin: 0.4rem 0; }
header p { max-width: 60rem; color: var(--body-text-color-subdued); margin: 0; }
#model-state { align-items: center; flex-wrap: wrap; gap: 0.8rem; padding: 0.5rem 0.9rem;
  background: var(--background-fill-secondary); border: 1px solid var(--border-color-primary);
  border-radius: var(--radius-lg); }
$html_container { padding: 0 !important; }
#strip { flex: 1 1 14rem; }
.strip { display: flex; flex-wrap: wrap; gap: 0.2rem 2rem; margin: 0; }
.strip dt { font-size: 0.75rem; color: var(--body-text-color-subdued); }
.strip dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
@media (min-width: 800px) { #model-state { position: sticky; top: 0; z-index: 20; } }
#examples { gap: 0.4rem; flex-wrap: nowrap; }
.example { aspect-ratio: 1; min-width: 0 !important; padding: 0.2rem; align-items: flex-end; background-size: cover;
  font-size: 0.75rem; color: white !important; text-shadow: 0 0 3px black, 0 0 3px black; overflow: hidden; }
@media (max-width: 500px) {
  $tab_container button { padding: 0 0.5rem !important; }
  .example { font-size: 0.6rem; }
}
.help, .hint, .shape { color: var(--body-text-color-subdued); }
.hint, .shape { font-size: 0.85rem; margin: 0.2rem 0; }
#privacy { font-size: 0.85rem; align-items: center; gap: 0.4rem; margin: 0.8rem 0; text-align: center;
  color: var(--body-text-color-subdued); }
#privacy button { flex: none; align-self: center; width: auto; }
#privacy ul { text-align: left; max-width: 46rem; margin: 0.4rem auto; }
.session { margin: 0; }
.session.over { color: var(--error-text-color); font-weight: 600; }
$html_container :is(h3, h4) { overflow-wrap: anywhere; } /* the names of files know no end */
$label_wrap > span:first-child { text-align: start; }
footer $divider { display: none !important; } /* gradio's dot after the only link, which a phone does not show */
.answer { font-size: 1.05rem; margin: 0.2rem 0; overflow-wrap: anywhere; }
.status { min-height: 1.6rem; margin: 0.2rem 0; }
.status.trained { font-weight: 600; }
.status.failed { color: var(--error-text-color); font-weight: 600; }
.counts { width: 100%; border: none !important; border-collapse: collapse; font-size: 0.9rem; }
.counts th, .counts td { border: none; text-align: right; padding: 0.2rem 0.5rem;
  border-bottom: 1px solid var(--border-color-primary); }
.counts th:first-child, .counts td:first-child { text-align: left; min-width: 4.5em; overflow-wrap: break-word; }
$toast_title { font-size: 0 !important; } /* gradio's "Error", in English only; the sentence below says it */
:lang(zh) :is($meta_text, $meta_text_center) { font-size: 0; } /* "processing | 0.5 s", in English only */
.scale { display: flex; align-items: center; gap: 0.5rem; font-size: 0.85rem; }
.scale .colours { display: inline-block; width: 12rem; height: 0.9rem; border-radius: 3px; }
.wide { overflow-x: auto; }
.history { font-size: 0.8rem; border-collapse: collapse; border: none !important; width: 100%; }
.history th, .history td { border: none !important; text-align: left; padding: 0.2rem 0.5rem; vertical-align: top;
  border-bottom: 1px solid var(--border-color-primary) !important; }
.history a { padding: 0; }
.history tr, .counts tr { border: none !important; }
#timeline { flex-wrap: wrap; gap: 0.3rem; }
#timeline button { flex: 0 0 auto; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: 1rem; }
.columns ol { padding-left: 1.2rem; }
.columns li span { float: right; }
.columns li.agreed { font-weight: 600; }
$html_container progress { width: 100%; height: 0.5rem; accent-color: #14b8a6; }
.stage { margin-top: 1rem; }
.stage h3 { margin: 0.2rem 0; }
.warnings { margin: 0.4rem 0; padding-left: 1.2rem; font-size: 0.9rem; color: var(--body-text-color-subdued); }
.thumbnails { display: flex; flex-wrap: wrap; gap: 0.3rem; align-items: center; margin: 0.3rem 0; }
.thumbnails b { flex: 0 0 100%; font-size: 0.85rem; overflow-wrap: anywhere; }
.thumbnails img { height: 48px; width: auto; border-radius: 3px; margin: 0; }
.figures { display: flex; flex-wrap: wrap; gap: 0.5rem; margin: 0.3rem 0; }
.figures figure, .figures .figure { width: 104px; margin: 0; padding: 0; border-radius: 5px;
  border: 2px solid transparent;
  background: none; font-size: 0.75rem; text-align: center; overflow-wrap: anywhere; }
.figures .figure { cursor: pointer; }
.figures .figure:hover, .figures .figure:focus-visible { border-color: var(--color-accent); }
.figures img { width: 100%; height: 80px; object-fit: cover; border-radius: 3px; margin: 0; }
.figures.large figure { width: min(224px, 46%); }
.figures.large img { height: auto; }
.confusion { border-collapse: collapse; border: none !important; width: auto !important; }
.confusion th { font-size: 0.8rem; font-weight: 500; padding: 0.2rem 0.5rem; border: none !important; max-width: 8rem;
  overflow-wrap: anywhere; text-align: left; }
.confusion thead th:first-child { min-width: 5.5rem; }
.confusion td { padding: 2px; border: none !important; }
.confusion button { min-width: 3rem; min-height: 2.4rem; border-radius: 4px; cursor: pointer; color: inherit;
  border: 1px solid var(--border-color-primary); background: rgb(225 80 60 / calc(0.75 * var(--share))); }
.confusion .right button { background: rgb(20 184 166 / calc(0.75 * var(--share))); }
.confusion button:disabled { cursor: default; opacity: 0.5; }
.try { margin: 0.2rem 0 0.6rem; }
.canvas { position: relative; width: min(336px, 100%); aspect-ratio: 1; touch-action: none; user-select: none; }
.canvas img { width: 100%; height: 100%; margin: 0; }
.cells { position: absolute; inset: 0; display: grid; grid-template-columns: repeat(14, 1fr); }
.cells input { appearance: none; width: auto; height: auto; min-width: 0; margin: 0; border: none; border-radius: 0;
  background: none !important; box-shadow: none; cursor: crosshair; }
.cells input:hover, .cells input:focus-visible { outline: 1px solid white; outline-offset: -1px; }
.cells input:checked { background: rgb(128 128 128 / 0.9) !important; }
.measure { margin: 0.5rem 0; padding: 0.4rem 1rem; border-radius: var(--radius-md); cursor: pointer;
  background: var(--button-secondary-background-fill); border: 1px solid var(--border-color-primary); }
.figures.sheet figure { width: min(336px, 100%); }
.figures.sheet img, .figures.patches img { height: auto; }
.figures.square img { height: auto; }
.counts.one-line th, .counts.one-line td { white-space: nowrap; }
.help a { padding: 0; }
.reliability { width: min(16rem, 100%); display: block; }
.history.fingerprints td:not(:first-child) { font-family: ui-monospace, Consolas, monospace; white-space: nowrap; }
#customers-story section { margin: 1rem 0; }
#customers-story .columns { grid-template-columns: repeat(auto-fit, minmax(min(17rem, 100%), 1fr)); }
#customers-story .thumbnails { align-content: start; }
#customers-story .thumbnails span { flex: 0 0 100%; font-size: 0.85rem; }
#customers-story td { vertical-align: middle; }
#customers-story :not(.asked) > * > tr > :first-child { min-width: 6.5em; }
#customers-story .asked tr > :nth-child(2) { min-width: 5em; }
#customers-story tr > :last-child { min-width: 3.5em; }
#customers-story td img { height: 48px; width: auto; max-width: none; border-radius: 3px; margin: 0; }
"""


def theme() -> gr.themes.Base:
    """Return the theme of the page."""
    return gr.themes.Soft(primary_hue="teal", font=_FONTS, font_mono=["ui-monospace", "Consolas", "monospace"])


def css() -> str:
    """Return the page's CSS. The thumbnails are in it: they need no file that could be swept, and no request."""
    classes = {name.replace("-", "_"): f".{name}" for name in STYLED}
    rules = [
        f"#example-{example.name} {{ background-image: url(data:image/jpeg;base64,{encoded}); }}"
        for example in EXAMPLES
        for encoded in [base64.b64encode(read_thumbnail(example)).decode()]
    ]
    return "\n".join([Template(_CSS).substitute(classes), *rules])
