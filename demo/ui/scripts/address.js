// The address carries the place: it is read from the page itself, and written when that has changed.
const PANELS = {finetune: "#steps", inside: "#bench"}, FOLDS = ["history", "closing", "side-by-side"];
const STEPS = ["tab", "panel", "example", "network", "set", "lesson"]; // a change of these can be gone back from
const NAMES = [...STEPS, "recipe", "view"];
let isFollowing = false, soon;

const chosen = (list) => document.querySelector(`${list} > .tab-wrapper [role=tab][aria-selected=true]`)?.dataset.tabId;
const told = (place, name) => document.querySelector(place)?.querySelector(`[data-${name}]`)?.dataset[name];
const isOpen = (fold) => document.querySelector(`#${fold} > button[aria-expanded=true], #${fold} > .label-wrap.open`);

const read = () => {
  const tab = chosen("#tabs"), before = new URLSearchParams(location.search);
  const isMounted = document.getElementById("report") !== null;
  const place = {
    tab: tab === "predict" ? undefined : tab,
    panel: PANELS[tab] ? chosen(PANELS[tab]) : FOLDS.find(isOpen),
    example: told("#answer", "example"),
    network: told("#answer", "network"),
    lesson: told("#guide", "lesson"),
    set: isMounted ? told("#report", "set") : before.get("set"),
    recipe: isMounted ? told("#trained-count", "recipe") : before.get("recipe"),
    view: document.documentElement.classList.contains("projector") ? "projector" : undefined,
  };
  return Object.fromEntries(Object.entries(place).filter(([, value]) => value));
};
// Colons and commas may stand in a query as they are, and are easier to read so.
const query = (place) => {
  const parts = NAMES.filter((name) => place[name]).map((name) => `${name}=${encodeURIComponent(place[name])}`);
  return parts.length ? `?${parts.join("&").replaceAll("%3A", ":").replaceAll("%2C", ",")}` : "";
};
const isSame = (one, other, names = NAMES) => names.every((name) => one[name] === other[name]);

const write = () => {
  if (!isFollowing) return;
  const place = read(), before = history.state?.place ?? {};
  if (isSame(place, before)) return;
  const other = new URLSearchParams(location.search);
  NAMES.forEach((name) => other.delete(name));
  const url = new URL(location.href);
  url.search = query(place) + (other.size ? `${query(place) ? "&" : "?"}${other}` : "");
  history[isSame(place, before, STEPS) ? "replaceState" : "pushState"]({place}, "", url);
};
const press = async (selector) => {
  await demo.until(() => document.querySelector(selector));
  const button = document.querySelector(selector);
  if (button && button.ariaSelected !== "true" && button.ariaExpanded !== "true") button.click();
};
// Opens the parts of a place that only the page knows of: tab, panel and view.
const open = async ({tab = "predict", panel, view}) => {
  demo.showView(view);
  await press(`#${tab}-tab-button`);
  if (panel && tab === "finetune") await press(`#step-${panel}-button`);
  if (panel && tab === "inside") await press(`#${panel}-panel-button`);
  if (FOLDS.includes(panel) && !isOpen(panel)) await press(`#${panel} > button`);
};
// A place that names no step has the lesson put away, which only a step 0 tells the server.
const go = async (wanted) => {
  const place = {lesson: "0", ...wanted}, isReached = (names) => isSame(place, {lesson: "0", ...read()}, names);
  isFollowing = false;
  if (!isReached(["example", "network", "set", "recipe", "lesson"])) demo.visit(query(place));
  await open(place);
  await demo.until(() => isReached(["example", "network", "lesson"]));
  isFollowing = true;
};

// Leads to a place; of the page what it does not name stays as it is.
demo.goTo = async (place) => {
  await go({...read(), tab: undefined, panel: undefined, ...place});
  write();
  const isFold = FOLDS.includes(place.panel), tabs = {finetune: "steps", inside: "bench"};
  setTimeout(() => demo.reveal(isFold ? place.panel : tabs[place.tab] ?? "answer"));
};
// A link of the page leads to a panel of tab 3 or to a fold of tab 1, and to what else its address names.
demo.lead = async (place) => {
  const isFold = FOLDS.includes(place.panel);
  await demo.goTo(place);
  const button = document.querySelector(isFold ? `#${place.panel} > button` : `#${place.panel}-panel-button`);
  (button?.offsetParent ? button : document.querySelector("#bench .tab-menu select"))?.focus({preventScroll: true});
};

// The session has begun, and the server has gone to the place that the address names.
demo.follow = async () => {
  await open(Object.fromEntries(new URLSearchParams(location.search)));
  history.replaceState({place: read()}, "");
  isFollowing = true;
  new MutationObserver(() => {
    clearTimeout(soon);
    soon = setTimeout(write, 50);
  }).observe(document.body, {
    subtree: true, childList: true, attributes: true, attributeFilter: ["aria-selected", "aria-expanded", "aria-pressed"],
  });
};
addEventListener("popstate", (event) => { if (event.state?.place) go(event.state.place); });

document.addEventListener("click", (event) => {
  const target = event.target.closest?.("[data-language], [data-copy]");
  if (!target || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const {language, copy} = target.dataset;
  if (language) {
    event.preventDefault();
    const there = new URL(location.href), root = there.pathname.replace(/\/zh\/?$|\/+$/, "");
    there.pathname = language === "zh" ? `${root}/zh` : `${root}/`;
    location.assign(there);
  } else if (copy) {
    target.previousElementSibling.select();
    document.execCommand("copy"); // navigator.clipboard is there over HTTPS alone
    target.textContent = demo.words.copied;
  }
});
