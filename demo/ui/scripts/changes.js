// Tells others that gradio has changed the page: at most once in a frame, and at once when they ask.
const tasks = [];
let isDue = false;
demo.afterChange = (task) => {
  tasks.push(task);
  task();
};
// Waits until something is so on the page, or for a time.
demo.until = async (condition, patienceMs = 8_000) => {
  const end = Date.now() + patienceMs;
  while (!condition() && Date.now() < end) await new Promise(requestAnimationFrame);
};
new MutationObserver(() => {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    tasks.forEach((task) => task());
  });
}).observe(document, {childList: true, subtree: true, attributeFilter: ["aria-label", "title", "alt", "lang"]});
