// Keeps a copy of the visitor's head in this browser, for when the server has lost it. IndexedDB holds the copies of all
// tabs; what finds one, and proves whose it is, lies in sessionStorage, which this tab alone has.
const OWN = "demo-keepsake", STORE = "heads", PATIENCE_MS = 2_000, NEWLINE = 10;
const {maxAgeMs} = demo.survival;

const random = () => [...crypto.getRandomValues(new Uint8Array(16))].map((each) => each.toString(16).padStart(2, "0")).join("");
const read = (key) => { try { return sessionStorage.getItem(key) } catch { return null } };
const recall = () => JSON.parse(read(OWN));
const note = (own) => { try { sessionStorage.setItem(OWN, JSON.stringify(own)) } catch {} };

// Runs one request on the store, which is made where there is none.
const ask = (mode, request) => new Promise((resolve, reject) => {
  const opening = indexedDB.open("demo", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, {keyPath: "id"});
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const database = opening.result, transaction = database.transaction(STORE, mode);
    const asked = request(transaction.objectStore(STORE));
    transaction.oncomplete = () => { database.close(); resolve(asked.result); };
    transaction.onabort = () => { database.close(); reject(transaction.error); };
  };
});
const find = async () => {
  const own = recall();
  return own ? await ask("readonly", (store) => store.get(own.id)) : undefined;
};
const forget = async () => {
  const own = recall();
  try { sessionStorage.removeItem(OWN) } catch {}
  if (own) await ask("readwrite", (store) => store.delete(own.id)).catch(() => null);
};
// Deletes what tabs have left that are gone; no clock but that of the wall outlives a browser.
const sweep = async () => {
  const own = recall(), now = Date.now();
  await ask("readwrite", (store) => {
    const going = store.openCursor();
    going.onsuccess = () => {
      const cursor = going.result;
      if (!cursor) return;
      if (cursor.key !== own?.id && Math.abs(now - cursor.value.at) > maxAgeMs) cursor.delete();
      cursor.continue();
    };
    return going;
  });
};

const readManifest = (content) => {
  const bytes = new Uint8Array(content), first = bytes.indexOf(NEWLINE) + 1;
  return JSON.parse(new TextDecoder().decode(bytes.subarray(first, bytes.indexOf(NEWLINE, first))));
};
const keep = async () => {
  const own = recall() ?? {id: random(), secret: random()}, token = read("demo-token");
  const headers = {"X-Demo-Session": token, "X-Demo-Secret": own.secret, "X-Demo-Number": own.number ?? 0};
  const answer = await fetch(`${window.gradio_config.root}/keepsake`, {cache: "no-store", headers});
  if (answer.status === 204 && own.token === token) await forget(); // what was kept is of another session otherwise
  if (answer.status !== 200) return;
  const content = await answer.arrayBuffer();
  if (!content.byteLength) return note({...own, token}); // it is kept already
  const {number, classes} = readManifest(content);
  close(); // what was offered is older now
  note(own);
  if (!recall()) return; // nothing would find it again
  try {
    await ask("readwrite", (store) => store.put({id: own.id, at: Date.now(), classes, content}));
    note({...own, token, number});
  } catch {
    await forget(); // there is no room, and what was kept is older now
  }
};
let last = Promise.resolve();

const close = () => document.querySelector("#offer .offer")?.remove();
const allow = (isAllowed) => {
  for (const button of document.querySelectorAll("[data-keepsake]")) button.disabled = !isAllowed;
};
const say = (sentence) => {
  const line = document.querySelector("#offer [role=alert]") ?? document.createElement("p");
  line.role = "alert";
  line.textContent = sentence;
  document.querySelector("#offer .offer > div").append(line);
};
const bring = async () => {
  const {root, api_prefix} = window.gradio_config, form = new FormData();
  const {secret} = recall(), {content} = await find();
  form.append("files", new File([content], "kept.head"));
  const answer = await fetch(`${root}${api_prefix}/upload`, {method: "POST", body: form});
  if (!answer.ok) return say(await answer.text()) ?? allow(true);
  demo.bringBack({path: (await answer.json())[0], secret});
};
const decline = async () => {
  const {secret} = recall();
  await forget();
  close();
  demo.decline({secret});
};

demo.keepsake = {
  // Fetches the copy anew after each change of the head, one after the other.
  save: () => { last = last.then(keep).catch(() => null) },
  // Returns the names of the classes of what is kept, a line each.
  tell: async () => {
    sweep().catch(() => null);
    const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
    const kept = await Promise.race([find(), late]).catch(() => null);
    return kept?.classes.join("\n") ?? "";
  },
  forget,
  failed: () => allow(true),
};
document.addEventListener("click", ({target}) => {
  const act = target.closest?.("[data-keepsake]")?.dataset.keepsake;
  if (!act) return;
  allow(false);
  (act === "bring" ? bring : decline)().catch(() => allow(true));
});
