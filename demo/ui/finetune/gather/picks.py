"""What a script tells of the reading: which control was used, by a mark that no name can break, and what it says."""

import hashlib
import html
from collections.abc import Iterable

# A button is clicked, a select or a name is changed; all else that the page draws anew stays as the visitor left it:
# what is unfolded, and which control has the focus, wherever it stands then.
PICKS_SCRIPT = """const unfolded = {};
let here = null;
const tell = (event, kind) => {
  const control = event.target.closest('[data-pick]');
  if (!control || control.matches('button') !== (kind === 'click') || control.type === 'checkbox') return;
  const ticked = [...(control.form?.querySelectorAll('input:checked') ?? [])].map((each) => each.value);
  demo.told = control.dataset.pick;
  trigger('submit', {pick: control.dataset.pick, value: control.matches('button') ? ticked.join(' ') : control.value});
};
element.addEventListener('click', (event) => tell(event, 'click'));
element.addEventListener('change', (event) => tell(event, 'change'));
element.addEventListener('submit', (event) => event.preventDefault());
element.addEventListener('keydown', ({key, target}) => {
  if (key === 'Escape' && target.matches('input.name')) target.value = target.defaultValue;
});
element.addEventListener('toggle', ({target}) => {
  if (target.dataset.keep) unfolded[target.dataset.keep] = target.open;
}, true);
element.addEventListener('focusin', ({target}) => { here = target.dataset.pick ?? null; });
element.addEventListener('focusout', ({relatedTarget}) => {
  if (relatedTarget && !element.contains(relatedTarget)) here = null;
});
watch('value', () => {
  for (const each of element.querySelectorAll('form')) each.reset();
  for (const each of element.querySelectorAll('[data-keep]')) each.open = unfolded[each.dataset.keep] ?? false;
  const {activeElement} = document;
  if (here && (activeElement === document.body || element.contains(activeElement))) {
    const next = element.querySelector(`[data-pick='${here}']`) ?? element.querySelector('[data-heir]');
    next?.focus({preventScroll: true});
  }
});"""


def mark(name: str) -> str:
    """Return a short name of a name, of letters and digits alone."""
    return hashlib.blake2s(name.encode(), digest_size=6).hexdigest()


def find_marked(names: Iterable[str], marked: str) -> str | None:
    """Return the name that has a mark, if one of them has."""
    return next((each for each in names if mark(each) == marked), None)


def draw_button(pick: str, label: str, *, css_class: str = "", is_heir: bool = False) -> str:
    """Return a button (its label is text) that tells its pick."""
    heir = " data-heir" if is_heir else ""
    return (
        f'<button type="button" class="{css_class}" data-pick="{html.escape(pick)}"{heir}>{html.escape(label)}</button>'
    )
