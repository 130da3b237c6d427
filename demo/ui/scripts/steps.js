// Leads to a step of tab 2 or to a tab of the page without asking the server; focus goes to what is to be done there.
const TO_DO = {
  pictures: "#sources [role=tab][aria-selected=true]",
  train: "#train:enabled",
  wrong: "#confusion button:enabled",
  experiments: "#start-race:enabled",
  keep: "#export",
};
const tabOf = (where) => document.getElementById(`step-${where}-button`) ?? document.getElementById(`${where}-tab-button`);
const isThere = (each) => each?.getClientRects().length > 0;

demo.go = async (where) => {
  if (where in TO_DO) tabOf("finetune")?.click();
  await demo.until(() => tabOf(where));
  const tab = tabOf(where);
  tab?.click();
  const find = () => document.querySelector(TO_DO[where] ?? `#${tab?.id}`);
  await demo.until(() => isThere(find()), 3_000);
  const {above, below} = demo.keepClear();
  const top = tab?.getBoundingClientRect().top ?? 0;
  if (top < above || top > below / 2) tab?.scrollIntoView({block: "start"});
  (isThere(find()) ? find() : tab)?.focus();
};

document.addEventListener("click", (event) => {
  const way = event.target.closest?.("[data-to]");
  if (!way || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault(); // a link has an address too, for another tab of the browser
  const place = Object.fromEntries(new URLSearchParams(way.search));
  if (place.panel && place.tab !== "finetune") demo.lead(place);
  else demo.go(way.dataset.to);
});
