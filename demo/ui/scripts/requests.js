// Notes when the server was last asked, and when it cannot be reached.
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
  if (!url.includes("/heartbeat/") || !response.body) return response;
  const reader = response.body.getReader(); // this stream lasts as long as the connection
  const lose = () => { demo.lostBeat = url; demo.lookForServer(); };
  const passing = new ReadableStream({
    async pull(stream) {
      const {done, value} = await reader.read().catch((error) => {
        lose();
        throw error;
      });
      if (!done) return stream.enqueue(value);
      stream.close();
      lose();
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return new Response(passing, response);
};
