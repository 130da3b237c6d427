// Says at the top while the server cannot be reached, and opens the page anew where the server was started anew.
const send = window.fetch.bind(window), EVERY_MS = 2000;
const bar = document.createElement("p");
bar.id = "connection";
bar.setAttribute("role", "alert");
let isLooking = false;

const isBack = async () => {
  const {root, api_prefix, app_id} = window.gradio_config;
  const answer = await send(`${root}${api_prefix}/app_id`, {cache: "no-store", signal: AbortSignal.timeout(EVERY_MS)});
  if ((await answer.json()).app_id === app_id) return;
  location.reload();
  await new Promise(() => {}); // until the page is gone
};

demo.lookForServer = async () => {
  if (isLooking) return;
  isLooking = true;
  for (;;) {
    try {
      await isBack();
      break;
    } catch {
      bar.textContent = demo.words.away;
      document.body.prepend(bar);
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  }
  bar.remove();
  isLooking = false;
  demo.resume?.();
};
addEventListener("offline", demo.lookForServer);
