// The bench of tab 3: the open panel is drawn while it is in sight, once for each state that the session is in.
let version = 0; // counts the changes of the session; there is none yet
const draws = {}, drawn = {}; // by the id of a panel: what draws it, and the version that it shows
demo.bench = {
  add(element, draw) {
    setTimeout(() => { // then it is in the document
      draws[element.closest("[role=tabpanel]").id] = draw;
      demo.bench.renew();
    });
  },
  renew() {
    const button = document.querySelector("#bench [role=tab][aria-selected=true]");
    const id = button?.getAttribute("aria-controls");
    if (!version || !draws[id] || drawn[id] === version || !document.getElementById(id)?.offsetParent) return;
    drawn[id] = version;
    draws[id]();
  },
  change() {
    version += 1;
    demo.bench.renew();
  },
  forget(id) {
    delete drawn[id];
  },
  open(id) {
    demo.bench.forget(id);
    const button = document.getElementById(`${id}-button`);
    button.click();
    const way = button.offsetParent ? button : document.querySelector("#bench .tab-menu select");
    way.focus({preventScroll: true});
    setTimeout(() => demo.reveal("bench"));
  },
};
new MutationObserver(demo.bench.renew).observe(document, {subtree: true, attributeFilter: ["aria-selected"]});

// Of the maps of a stage one can be reached with the Tab key, and from it the others with the arrow keys.
const STEPS = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -4, ArrowDown: 4};
document.addEventListener("keydown", (event) => {
  const maps = event.target.closest(".maps"), step = STEPS[event.key];
  if (!maps || !step || !event.target.matches("button")) return;
  event.preventDefault();
  const buttons = [...maps.querySelectorAll("button")];
  const next = buttons[buttons.indexOf(event.target) + step];
  if (!next) return;
  event.target.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
});
