// Mends what a keyboard or a screen reader cannot use.
const skip = document.createElement("a");
skip.className = "skip";
skip.href = "#";
skip.addEventListener("click", (event) => {
  event.preventDefault(); // the address stays
  const panel = [...document.querySelectorAll("[role=tabpanel]")].find((each) => each.offsetParent);
  panel?.setAttribute("tabindex", "-1");
  panel?.focus();
});
demo.afterChange(() => {
  if (document.body && !skip.isConnected) document.body.prepend(skip);
  if (skip.textContent !== demo.words.skip) skip.textContent = demo.words.skip;
  // What stands on such a button names it better than its label.
  for (const each of document.querySelectorAll("button[aria-label]:has([data-testid=upload-text])")) {
    each.removeAttribute("aria-label");
  }
  // A chart is one picture: its numbers are in the table beside it.
  for (const each of document.querySelectorAll("svg.marks:not([role=img])")) {
    each.setAttribute("role", "img");
    each.setAttribute("aria-label", demo.words.chart);
  }
});
