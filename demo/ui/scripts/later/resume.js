// Lets the page go on with its session once the connection is back, the computer has slept, or the session is over.
const LOOK_MS = 20_000, JUMP_MS = 120_000; // a page out of sight is asked once a minute
let seen = Date.now();
setInterval(() => {
  const now = Date.now(), jumped = Math.abs(now - seen) > JUMP_MS;
  seen = now;
  if (jumped) demo.lookForServer();
}, LOOK_MS);

// The server has said whether the session is there. The stream by which it knows that the page is open is begun again.
demo.resumed = async (isOver) => {
  if (isOver) return location.reload();
  demo.keepsake.save(); // it may have been fetched in vain
  const url = demo.lostBeat;
  demo.lostBeat = null;
  if (!url) return;
  try {
    const beats = (await fetch(url)).body.getReader();
    while (!(await beats.read()).done);
  } catch {
    demo.lostBeat = url;
  }
};

demo.afterChange(() => {
  for (const toast of document.querySelectorAll("[data-testid=toast-body]:not([data-read])")) {
    toast.dataset.read = "";
    if (demo.survival.ended.some((sentence) => toast.textContent.includes(sentence))) demo.resume();
  }
});
