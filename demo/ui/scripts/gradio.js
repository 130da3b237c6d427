// Puts what gradio says in English alone, in texts and in labels, into the language of the page; HTML of ours stays.
const ATTRIBUTES = ["aria-label", "title", "alt"], BEGINNINGS = ["number input for ", "range slider for "];
const translate = (text) => {
  const begin = BEGINNINGS.find((each) => text.startsWith(each));
  const name = (begin ?? text).trim();
  const own = Object.hasOwn(demo.words.gradio, name) ? demo.words.gradio[name] : undefined;
  return begin ? own?.replace("{name}", text.slice(begin.length)) : own;
};
demo.afterChange(() => {
  for (const each of document.querySelectorAll(":is([aria-label], [title], [alt]):not(svg *)")) {
    for (const attribute of ATTRIBUTES) {
      const own = translate(each.getAttribute(attribute) ?? "");
      if (own && own !== each.getAttribute(attribute)) each.setAttribute(attribute, own);
    }
  }
});
const NAMED = ".html-container, fieldset, [role=listbox]"; // what stands there may be a name that a visitor gave
const translateText = (node) => {
  const own = translate(node.data);
  if (own && own !== node.data && !node.parentElement?.closest(NAMED)) node.data = own;
};
new MutationObserver((changes) => {
  for (const {type, target, addedNodes} of changes) {
    for (const node of type === "characterData" ? [target] : addedNodes) {
      if (node.nodeType === Node.TEXT_NODE) translateText(node);
      else if (node.nodeType === Node.ELEMENT_NODE) {
        const texts = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
        while (texts.nextNode()) translateText(texts.currentNode);
      }
    }
  }
}).observe(document.documentElement, {childList: true, characterData: true, subtree: true});
