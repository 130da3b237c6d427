// What a visitor does before the page has its session waits for it; the events of the page's own load go ahead.
let begin;
const begun = Promise.race([
  new Promise((resolve) => { begin = resolve; }),
  new Promise((resolve) => addEventListener("load", () => setTimeout(resolve, 15_000))),
]);
demo.begin = () => {
  begin();
  demo.ready();
  demo.follow();
};
const send = window.fetch;
window.fetch = async (where, options) => {
  const isEvent = String(where?.url ?? where).includes("/queue/join");
  if (isEvent && JSON.parse(options.body).trigger_id) await begun; // that of the load is 0
  return send(where, options);
};
