// A button of the lesson, wherever it stands, tells the server what was pressed, and leads to the place of its step.
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-act]");
  if (!button || !demo.guide || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault(); // a link has an address too, for another tab of the browser
  const {act, pick, place} = button.dataset;
  if (act === "click") document.getElementById("guide").scrollTop = 0;
  demo.guide(act, pick);
  if (place) demo.goTo(Object.fromEntries(new URLSearchParams(place)));
});
// What came out is brought into sight once, within the guide.
let shown = null;
demo.afterChange(() => {
  const found = document.querySelector("#guide .came-out"), told = found?.textContent ?? null;
  if (found && told !== shown) found.scrollIntoView({block: "nearest"});
  shown = told;
});
