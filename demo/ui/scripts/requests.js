// Notes when the server was last asked, when it is being stopped, and when it cannot be reached.
const ENDING = "data: ENDING", reads = new TextDecoder();
const send = window.fetch.bind(window);
window.fetch = async (where, options) => {
  const url = String(where?.url ?? where);
  if (url.includes("/queue/join")) window.demoUsed = Date.now();
  const request = send(where, options).catch((error) => {
    if (error.name !== "AbortError") demo.lookForServer();
    throw error;
  });
  if (/\/upload(\?|$)/.test(url)) demo.stage.follow(request);
  const response = await request;
  // With 503 gradio says that it is busy, whatever the sentence that came.
  if (response.status === 503 && url.includes("/queue/join")) return new Response(response.body, {status: 400});
  if (!url.includes("/heartbeat/") || !response.body) return response;
  const reader = response.body.getReader(); // this stream lasts as long as the connection
  const lose = () => { demo.lostBeat = url; demo.lookForServer(); };
  const passing = new ReadableStream({
    async pull(stream) {
      const {done, value} = await reader.read().catch((error) => {
        lose();
        throw error;
      });
      if (!done) {
        if (reads.decode(value).includes(ENDING)) demo.serverEnds();
        return stream.enqueue(value);
      }
      stream.close();
      lose();
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return new Response(passing, response);
};
