// Exchanges the first picture of the page for gradio's own, in one frame, once that is attached and has settled.
const root = document.documentElement, first = document.getElementById("first");
const [settledMs, mostMs, lateMs] = [150, 2_000, 20_000];
let wanted = null;
const exchange = () => requestAnimationFrame(() => {
  if (!root.classList.contains("first")) return;
  root.classList.remove("first");
  first.remove();
  document.getElementById(wanted)?.click();
});
demo.ready = () => {
  const most = setTimeout(exchange, mostMs);
  let settled = null;
  const sizes = new ResizeObserver(() => {
    clearTimeout(settled);
    settled = setTimeout(() => { clearTimeout(most); sizes.disconnect(); exchange() }, settledMs);
  });
  sizes.observe(document.querySelector("gradio-app"));
};
first?.addEventListener("click", ({target}) => { wanted = target.closest("[data-for]")?.dataset.for ?? wanted });
// Whatever went wrong, a page that gradio has drawn does not stay hidden.
const watch = setInterval(() => {
  if (!document.querySelector(".gradio-container")) return;
  clearInterval(watch);
  setTimeout(exchange, lateMs);
}, 500);
