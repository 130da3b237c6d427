// Shows of a wide table that it goes on, and lets the keyboard scroll it.
const look = (region) => {
  const hidden = region.scrollWidth - region.clientWidth;
  region.classList.toggle("more-left", region.scrollLeft > 1);
  region.classList.toggle("more-right", hidden - region.scrollLeft > 1);
  if (hidden > 1) region.tabIndex = 0; else region.removeAttribute("tabindex");
};
const sizes = new ResizeObserver((entries) => entries.forEach(({target}) => look(target)));
demo.afterChange(() => document.querySelectorAll(".wide").forEach((region) => sizes.observe(region)));
document.addEventListener("scroll", ({target}) => {
  if (target.matches?.(".wide")) look(target);
}, {capture: true, passive: true});
