// Says at the top while the server cannot be reached, and opens the page anew where the server was started anew.
const send = window.fetch.bind(window), EVERY_MS = 2000;
const bar = document.createElement("p");
bar.id = "connection";
bar.setAttribute("role", "alert");
let isLooking = false, isEnding = false;
const say = () => {
  bar.textContent = isEnding ? demo.words.ending : demo.words.away;
  document.body.prepend(bar);
};

// The server says by itself that it is being stopped, before it is gone.
demo.serverEnds = () => {
  isEnding = true;
  say();
};

// Says whether the server that is there is the one that the page came from; otherwise the page is opened anew.
const isSame = async () => {
  const {root, api_prefix, app_id} = window.gradio_config;
  const answer = await send(`${root}${api_prefix}/app_id`, {cache: "no-store", signal: AbortSignal.timeout(EVERY_MS)});
  if ((await answer.json()).app_id === app_id) return true;
  location.reload();
  return false;
};

demo.lookForServer = async () => {
  if (isLooking) return;
  isLooking = true;
  let goesOn;
  for (;;) {
    try {
      goesOn = await isSame();
      break;
    } catch {
      say();
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  }
  bar.remove();
  isLooking = false;
  if (goesOn) demo.resume?.();
};
addEventListener("offline", demo.lookForServer);
