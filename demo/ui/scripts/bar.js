// A phone's bar at the bottom: what runs, with its Stop, or the next thing to do in the tab that is open.
const isNarrow = matchMedia("(max-width: 799px)");
const bar = document.createElement("aside");
bar.id = "bar";
bar.hidden = true;
bar.innerHTML = '<span></span><button type="button"></button>';
const [said, button] = bar.children;
let mirrored = null;
button.addEventListener("click", () => mirrored?.click());

const isShown = (each) => each.getClientRects().length > 0;
const find = () => {
  const isFineTuning = document.querySelector("#finetune-tab-button[aria-selected=true]");
  const stop = isFineTuning && document.querySelector("#running button");
  const ways = [...document.querySelectorAll("[data-next], .next"), document.getElementById("train")];
  return stop ?? ways.find((each) => each && isShown(each) && !each.disabled) ?? null;
};
const set = (each, text) => { if (each.textContent !== text) each.textContent = text; };

let isDue = false;
const draw = () => {
  isDue = false;
  const tabs = document.querySelector("[role=tablist]:has(#predict-tab-button)")?.parentElement.parentElement;
  if (!tabs) return;
  if (!bar.isConnected) tabs.parentElement.append(bar);  // gradio's style sheets reach no further than that
  mirrored = isNarrow.matches ? find() : null;
  const isChanged = bar.hidden !== !mirrored;
  bar.hidden = !mirrored;
  set(said, mirrored?.closest("#running")?.querySelector("span").textContent ?? "");
  set(button, mirrored?.dataset.next || mirrored?.textContent.trim() || "");
  bar.classList.toggle("runs", said.textContent !== "");
  if (isChanged) demo.keepClear();
};
const look = () => {
  if (isDue || (bar.hidden && !isNarrow.matches)) return;
  isDue = true;
  requestAnimationFrame(draw);
};
isNarrow.addEventListener("change", look);
new MutationObserver(look).observe(document, {
  subtree: true, childList: true, characterData: true, attributes: true,
  attributeFilter: ["aria-selected", "class", "style", "disabled"],
});
