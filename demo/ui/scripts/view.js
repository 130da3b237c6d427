// Shows the page for a projector: large type, the whole width, stronger lines. Who calls it keeps the choice.
const root = document.documentElement;
const press = () => {
  document.getElementById("projector")?.setAttribute("aria-pressed", root.classList.contains("projector"));
};
demo.showView = (name) => {
  root.classList.toggle("projector", name === "projector");
  press();
};
demo.showView(new URLSearchParams(location.search).get("view"));
demo.afterChange(press);
document.addEventListener("click", ({target}) => {
  if (target.closest("#projector")) demo.showView(root.classList.contains("projector") ? "" : "projector");
});
