// Arrow keys move between tabs, of which only the open one is a stop of the tab key (WAI-ARIA, tabs pattern); and focus
// goes to what comes next when what has it is disabled or taken off the page, never to nowhere.
const isThere = (each) => Boolean(each?.isConnected && !each.disabled && each.getClientRects().length);
const MOVES = {ArrowLeft: (at) => at - 1, ArrowRight: (at) => at + 1, Home: () => 0, End: () => -1};

document.addEventListener("keydown", (event) => {
  if (event.key === "Tab") {
    for (const each of document.querySelectorAll("[role=tab]")) {
      each.tabIndex = each.getAttribute("aria-selected") === "true" ? 0 : -1;
    }
  }
  const list = event.target.closest?.("[role=tab]")?.closest("[role=tablist]");
  if (!list || !(event.key in MOVES) || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  const tabs = [...list.querySelectorAll("[role=tab]")].filter(isThere);
  const next = tabs.at(MOVES[event.key](tabs.indexOf(event.target)) % tabs.length);
  next.focus();
  next.click();
}, true);

let last = null;  // what has the focus, with where it is
let pressed = null;  // what was clicked since it got it

document.addEventListener("focusin", ({target}) => {
  const holder = target.closest("[id]"), {to, pick} = target.dataset;
  const own = pick !== undefined ? `[data-pick="${pick}"]` : to !== undefined ? `[data-to="${to}"]` : "";
  const again = target.id ? `#${target.id}` : own && holder ? `#${holder.id} ${own}` : null;
  last = {target, again, heir: holder && `#${CSS.escape(holder.id)} [data-heir]`, row: target.parentElement, home: target.closest("[role=tabpanel]")};
  pressed = null;
});
document.addEventListener("focusout", ({target}) => setTimeout(() => {
  if (last?.target === target && isThere(target) && document.activeElement === document.body) last = null;
}));
document.addEventListener("click", ({target}) => { pressed = target.closest?.("button"); }, true);

const findHeir = ({target, again, heir, row, home}) => {
  const all = [...(home?.querySelectorAll("button, input, select, textarea, summary, a[href]") ?? [])].filter(isThere);
  const hasEnded = target.id.startsWith("stop") && pressed !== target;
  const isAfter = (each) => target.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_FOLLOWING;
  return [
    again && document.querySelector(again),
    heir && document.querySelector(heir),
    hasEnded && all.find((each) => each.matches(".next")),
    row?.isConnected && [...row.querySelectorAll("button")].find(isThere),
    target.isConnected && all.find(isAfter),
    all.find((each) => each.matches(".next")),
    home && document.getElementById(`${home.id}-button`),
    document.querySelector("[role=tab][aria-selected=true]"),
  ].find(isThere);
};

let isWaiting = false;
const look = async () => {
  if (!last || isWaiting || isThere(last.target)) return;
  isWaiting = true;
  await new Promise((resolve) => setTimeout(resolve, 60)); // what comes next may still be on its way onto the page,
  const beside = [...(last?.row?.querySelectorAll("button") ?? [])]; // or not yet enabled
  if (beside.length > 1) await demo.until(() => beside.some(isThere), 1_000);
  isWaiting = false;
  const {activeElement} = document;
  if (last && !isThere(last.target) && [document.body, last.target].includes(activeElement)) findHeir(last)?.focus({preventScroll: true});
};
new MutationObserver(look).observe(document, {
  subtree: true, childList: true, attributes: true, attributeFilter: ["disabled", "class", "style"],
});
