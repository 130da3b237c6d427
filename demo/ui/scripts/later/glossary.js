// Underlines each term of the glossary where it first stands in a tab or panel, and explains it there. What is folded
// away is looked at when it is unfolded.
const CHOICE = "label:has([type=radio], [type=checkbox])"; // to tap it is to choose
const NOT_HERE = `button, a, summary, select, textarea, code, pre, svg, script, style, .bars, #glossary, ${CHOICE}`;
const EVERY_MS = 200;
const language = document.documentElement.lang.startsWith("zh") ? "zh-Hans" : "en";
const {pattern, names, terms} = GLOSSARIES[language];
const finder = new RegExp(pattern, "gi");
const isVisible = (each) => each.checkVisibility({visibilityProperty: true});
const scopeOf = (each) => each.closest("[role=tabpanel]") ?? document.body;
const tagLatin = (each) => {
  if (language !== "en" && !/[\u4e00-\u9fff]/.test(each.textContent)) each.lang = "en";
};

/** Yields where each term first stands in sight: the text, and the match in it. Texts may be split meanwhile. */
function* firstPlaces() {
  const seen = new Map(), texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode, parent = text.parentElement;
    const matches = [...text.data.matchAll(finder)];
    if (!matches.length || parent.closest(NOT_HERE) || !isVisible(parent)) continue;
    const scope = scopeOf(parent), known = seen.get(scope) ?? new Set();
    seen.set(scope, known);
    for (const match of matches) {
      const name = names[match[0].toLowerCase()];
      if (known.has(name)) continue;
      known.add(name);
      yield {text, match, name};
      if (text.length < match.index + match[0].length) break;  // it was split: the rest of it comes next
    }
  }
}
const underline = ({text, match, name}) => {
  if (text.parentElement.closest(".term")) return;
  const term = document.createElement("dfn"), word = text.splitText(match.index);
  word.splitText(match[0].length);
  word.replaceWith(term);
  term.append(word);
  Object.assign(term, {className: "term", role: "button", tabIndex: 0});
  term.dataset.term = name;
  tagLatin(term);
};
let soon;
const look = () => {
  soon ??= setTimeout(() => {
    for (const place of firstPlaces()) underline(place);
    soon = undefined;
  }, EVERY_MS);
};
new MutationObserver(look).observe(document, {
  childList: true, subtree: true, attributeFilter: ["aria-selected", "aria-expanded", "open"],
});

// One note for all terms: it stands above everything else, and the browser puts it away on Escape or a click elsewhere.
const note = document.createElement("div");
note.id = "term-note";
note.popover = "auto";
const isOpen = () => note.matches(":popover-open");
let shown, isHovered = false;
const write = (place, {name, sentence, see, query}, kinds) => {
  const [title, text] = kinds.map((kind) => document.createElement(kind)), link = document.createElement("a");
  title.textContent = name;
  tagLatin(title);
  link.href = query;
  link.textContent = see;
  const where = new URLSearchParams(query);
  link.dataset.to = where.get("panel") ?? where.get("tab");
  text.append(sentence, " ", link);
  place.append(title, text);
};
const hide = () => isOpen() && note.hidePopover();
const forget = () => {
  shown?.removeAttribute("aria-describedby");
  shown = undefined;
};
const show = (term) => {
  if (shown === term && isOpen()) return;
  hide();
  forget();
  if (!note.isConnected) document.getElementById("glossary").append(note);
  note.replaceChildren();
  write(note, terms[term.dataset.term], ["strong", "p"]);
  note.showPopover();
  const {left, top, bottom} = term.getBoundingClientRect(), {offsetWidth, offsetHeight} = note;
  const below = bottom + 4;
  note.style.left = `${Math.max(8, Math.min(left, document.documentElement.clientWidth - offsetWidth - 8))}px`;
  note.style.top = `${below + offsetHeight < innerHeight ? below : Math.max(8, top - offsetHeight - 4)}px`;
  term.setAttribute("aria-describedby", note.id);
  shown = term;
};
const termAt = ({target}) => target.closest?.(".term");
const isWithin = (each) => each && (note.contains(each) || shown?.contains(each));
note.addEventListener("toggle", ({newState}) => newState === "open" || forget());
document.addEventListener("pointerover", (event) => {
  isHovered = Boolean(termAt(event)) || note.contains(event.target);
  if (event.pointerType !== "mouse") return;
  if (termAt(event)) show(termAt(event));
  else if (shown && !isHovered) setTimeout(() => isHovered || isWithin(document.activeElement) || hide(), 300);
});
document.addEventListener("focusin", (event) => {
  if (termAt(event)?.matches(":focus-visible")) show(termAt(event));
  else if (!isWithin(event.target)) hide();
});
document.addEventListener("scroll", () => isWithin(document.activeElement) || hide(), {capture: true, passive: true});
// Enter leads from a term to the link of its note; Tab goes on as if there were no note.
document.addEventListener("keydown", (event) => {
  if (event.key === "Tab" && note.contains(event.target)) shown?.focus();
  if (!termAt(event) || !["Enter", " "].includes(event.key)) return;
  event.preventDefault();
  show(termAt(event));
  note.querySelector("a").focus();
});
document.addEventListener("click", (event) => {
  if (termAt(event)) {
    event.preventDefault(); // a label would go to its control
    show(termAt(event));
    return;
  }
  if (note.contains(event.target) && event.target.matches("a")) hide();
});
document.addEventListener("toggle", ({target}) => {
  if (!target.matches("#glossary details") || target.querySelector("dl")) return;
  const list = document.createElement("dl");
  Object.values(terms).forEach((each) => write(list, each, ["dt", "dd"]));
  target.append(list);
}, true);
