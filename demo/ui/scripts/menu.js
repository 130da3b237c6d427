// On a phone the row of tabs of each .menu-on-phone is a menu: a select that follows the tabs, and they follow it.
const look = () => {
  for (const tabs of document.querySelectorAll(".menu-on-phone")) {
    const buttons = [...(tabs.querySelector("[role=tablist]")?.querySelectorAll("[role=tab]") ?? [])];
    if (buttons.length) follow(tabs.querySelector(":scope > .tab-menu select") ?? build(tabs), buttons);
  }
};
const build = (tabs) => {
  const label = document.createElement("label"), menu = document.createElement("select");
  label.className = "tab-menu";
  label.append(demo.words.lookAt, menu);
  tabs.prepend(label);
  return menu;
};
const follow = (menu, buttons) => {
  const names = buttons.map((button) => button.textContent.trim());
  if (names.join() !== [...menu.options].map((option) => option.text).join()) {
    menu.replaceChildren(...buttons.map((button, place) => new Option(names[place], button.id)));
  }
  menu.value = buttons.find((button) => button.ariaSelected === "true")?.id ?? "";
};
document.addEventListener("change", ({target}) => {
  if (!target.matches(".tab-menu select")) return;
  document.getElementById(target.value).click();
  setTimeout(() => demo.reveal(target.closest(".menu-on-phone").id));
});
const changes = {subtree: true, childList: true, attributeFilter: ["aria-selected"]};
new MutationObserver(look).observe(document, changes);
