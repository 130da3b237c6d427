// Brings into sight what an action changes: on a phone it is often below the fold. What sticks above the page (the
// strip, the tabs of a phone) and a phone's bar below it cover nothing.
const isCalm = matchMedia("(prefers-reduced-motion: reduce)");
const STICKY = "#model-state, div:has(> [role=tablist] > #predict-tab-button)";

// On a phone the lesson lies above the bar.
const isSheet = matchMedia("(max-width: 999px)");
const coverBelow = () => {
  const heightOf = (id) => document.getElementById(id)?.offsetHeight ?? 0;
  document.documentElement.style.setProperty("--below", `${heightOf("bar")}px`);
  return heightOf("bar") + (isSheet.matches ? heightOf("guide") : 0);
};
const isSticky = (each) => getComputedStyle(each).position === "sticky";

demo.keepClear = () => {
  const heights = [...document.querySelectorAll(STICKY)].filter(isSticky).map((each) => each.offsetHeight);
  const above = heights.reduce((sum, each) => sum + each, 8), below = coverBelow() + 8;
  document.documentElement.style.scrollPadding = `${above}px 0 ${below}px`;
  return {above, below: innerHeight - below};
};
addEventListener("resize", demo.keepClear);

let touched = 0;  // when the visitor last moved something; then the page moves nothing against that
for (const kind of ["wheel", "touchmove", "keydown", "pointerdown"]) {
  addEventListener(kind, () => { touched = Date.now(); }, {passive: true, capture: true});
}
const after = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

demo.reveal = async (id) => {
  const began = Date.now();
  const pictures = [...(document.getElementById(id)?.querySelectorAll("img") ?? [])];
  await Promise.race([Promise.allSettled(pictures.map((each) => each.decode())), after(500)]);  // then they have a height
  await new Promise(requestAnimationFrame);
  if (!bring(id, isCalm.matches ? "auto" : "smooth")) return;
  await after(700);  // what is above it may have changed on the way
  if (touched < began) bring(id, "auto");
};

/** Scrolls to an element that is not in sight; returns whether that was needed. */
const bring = (id, behavior) => {
  const shown = document.getElementById(id);
  if (!shown?.offsetParent) return false;
  const {top, bottom} = shown.getBoundingClientRect(), {above, below} = demo.keepClear();
  const isHigh = bottom - top > below - above;
  const isInSight = isHigh ? Math.abs(top - above) < 8 : top >= above - 1 && bottom <= below + 1;
  const isPartlyInSight = top < below - 80 && bottom > above + 80;
  if (isInSight || (isPartlyInSight && innerWidth >= 800)) return false;
  shown.scrollIntoView({block: isHigh ? "start" : "nearest", behavior});
  return true;
};
