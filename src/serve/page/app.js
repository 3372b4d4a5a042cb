// The page: a conversation, documents to answer from, and where answers came from.
const $ = (id) => document.getElementById(id);
const METHODS = ["ltri", "infllm", "streaming", "dense"];
const PLACE_BYTES = 1500;  // shown around a citation

let key = sessionStorage.getItem("key") ?? "";
let model = "";
let messages = [];      // the conversation, as it is sent
let running = null;     // AbortController of the answers that are growing
const chosen = new Set();  // names of the documents to answer from

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

async function call(path, options = {}) {
  const headers = { ...(options.headers ?? {}) };
  if (key) headers.Authorization = `Bearer ${key}`;
  const response = await fetch(path, { ...options, headers });
  if (response.status === 401) {
    await askForKey();
    return call(path, options);
  }
  if (response.ok) return response;
  const body = await response.json().catch(() => null);
  throw new Error(body?.error?.message ?? `the server replied with status ${response.status}`);
}

let asking = null;
function askForKey() {
  asking ??= new Promise((resolve) => {
    $("key-dialog").showModal();
    $("key-form").onsubmit = () => {
      key = $("key").value;
      sessionStorage.setItem("key", key);
      asking = null;
      resolve();
    };
  });
  return asking;
}

// Calls take(event) for each event of a stream.
async function events(response, take) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    waiting += value;
    for (let end; (end = waiting.indexOf("\n\n")) >= 0; waiting = waiting.slice(end + 2)) {
      const line = waiting.slice(0, end);
      if (line.startsWith("data: ") && line !== "data: [DONE]") take(JSON.parse(line.slice(6)));
    }
  }
}

function time(seconds) {
  if (seconds == null) return "";
  const whole = Math.max(0, Math.round(seconds));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

const percent = (share) => `${Math.round(share * 100)} %`;
const number = (value) => Math.round(value).toLocaleString("en");

// --- documents ---

async function listDocuments() {
  const list = await (await call("/v1/documents")).json().catch(() => ({ data: [] }));
  $("documents").replaceChildren(...list.data.map(showDocument));
  for (const one of list.data) if (["uploading", "waiting", "reading"].includes(one.status)) watch(one.id);
}

function showDocument(one) {
  const item = make("li");
  item.dataset.name = one.id;
  const box = make("input");
  box.type = "checkbox";
  box.disabled = one.status !== "ready";
  box.checked = chosen.has(one.id);
  box.setAttribute("aria-label", `answer from ${one.id}`);
  box.onchange = () => choose(one.id, box.checked);
  const remove = make("button", "", "×");
  remove.title = `Delete ${one.id}`;
  remove.onclick = async () => {
    if (!confirm(`Delete ${one.id}?`)) return;
    await call(`/v1/documents/${encodeURIComponent(one.id)}`, { method: "DELETE" }).catch((e) => alert(e.message));
    choose(one.id, false);
    listDocuments();
  };
  item.append(box, make("span", "", one.id), remove, make("small", "", describe(one)));
  if (one.status === "reading") {
    const bar = make("progress");
    bar.max = one.progress.total || 1;
    bar.value = one.progress.read;
    item.append(bar);
  }
  return item;
}

// Whether to answer from a document; what was read keeps the settings that it was read with.
function choose(name, wanted) {
  if (wanted) chosen.add(name);
  else chosen.delete(name);
  for (const id of ["method", "budget", "other"]) $(id).disabled = chosen.size > 0;
  $("fixed").hidden = chosen.size === 0;
}

function describe(one) {
  if (one.status === "failed") return one.error;
  if (one.status === "ready") return `${number(one.tokens)} tokens`;
  if (one.status === "uploading") return "is being uploaded";
  if (one.status === "waiting") return one.error ?? "waits for its turn";
  const { read, total, tokens_per_second: rate, seconds_left: left } = one.progress;
  if (!read) return "is being read";
  return `${number(read)} of ${number(total)} tokens, ${number(rate)}/s, ${time(left)} left`;
}

const watched = new Set();
async function watch(name) {
  if (watched.has(name)) return;
  watched.add(name);
  try {
    await events(await call(`/v1/documents/${encodeURIComponent(name)}/events`), (one) => {
      const item = [...$("documents").children].find((child) => child.dataset.name === name);
      if (one.status === "ready") choose(name, true);
      if (item && one.id) item.replaceWith(showDocument(one));
    });
  } finally {
    watched.delete(name);
  }
}

async function upload(files) {
  for (const file of files) {
    const name = file.name.replace(/[^\w.-]+/g, "-").replace(/^[.-]+/, "");
    try {
      await call(`/v1/documents?name=${encodeURIComponent(name)}`, {
        method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: file,
      });
    } catch (error) {
      alert(`${file.name}: ${error.message}`);
    }
  }
  listDocuments();
}

// The text around a citation, with it and the others of the answer that are in sight marked.
async function showPlace({ document: name, begin, end }, citations) {
  const from = Math.max(0, begin - PLACE_BYTES);
  $("place-name").textContent = name;
  try {
    const range = `begin=${from}&end=${end + PLACE_BYTES}`;
    const response = await call(`/v1/documents/${encodeURIComponent(name)}/text?${range}`);
    const bytes = new Uint8Array(await response.arrayBuffer());
    const part = (a, b) => new TextDecoder().decode(bytes.subarray(a, b));
    const near = citations.filter((one) => one.document === name).sort((a, b) => a.begin - b.begin);
    $("place-text").replaceChildren();
    // What is shown begins and ends with whole words.
    let at = from > 0 ? Math.max(0, bytes.findIndex((byte) => byte === 32 || byte === 10)) : 0;
    if (at) $("place-text").append("…");
    let wanted = null;
    for (const one of near) {
      const [a, b] = [Math.max(at, one.begin - from), Math.min(bytes.length, one.end - from)];
      if (a >= b) continue;
      const mark = make("mark", "", part(a, b));
      mark.title = percent(one.share);
      $("place-text").append(part(at, a), mark);
      if (one.begin === begin) wanted = mark;
      at = b;
    }
    const cut = bytes.length < end + PLACE_BYTES - from ? bytes.length : Math.max(at, bytes.lastIndexOf(32));
    $("place-text").append(part(at, cut), cut < bytes.length ? "…" : "");
    $("place").showModal();
    wanted?.classList.add("wanted");
    wanted?.scrollIntoView({ block: "center" });
  } catch (error) {
    alert(error.message);
  }
}

// --- conversation ---

function request(method) {
  const body = {
    model, messages, stream: true, return_progress: true, stream_options: { include_usage: true },
    temperature: Number($("temperature").value), max_tokens: Number($("tokens").value),
  };
  body.ltri = { map: true };
  if (chosen.size) body.documents = [...chosen];
  else Object.assign(body.ltri, { method, budget: Number($("budget").value) });
  return body;
}

async function answer(method, place) {
  const text = make("div", "text");
  const about = make("div", "about", "waits for its turn");
  place.append(text, about);
  let whole = "";
  try {
    const response = await call("/v1/chat/completions", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(request(method)),
      signal: running.signal,
    });
    await events(response, (event) => {
      if (event.error) throw new Error(event.error.message);
      const progress = event.prompt_progress;
      if (progress) {
        const { tokens_per_second: rate, seconds_left: left } = event.ltri;
        about.textContent = progress.processed < progress.total
          ? `reading ${number(progress.processed)} of ${number(progress.total)} tokens, ${number(rate)}/s, ${time(left)} left`
          : "answering";
      }
      whole += event.choices?.[0]?.delta?.content ?? "";
      text.textContent = whole;
      if (event.citations) showCitations(event.citations, place);
      if (event.memory_map) place.append(memoryMap(event.memory_map));
      if (event.usage) about.textContent = summary(method, event);
      $("chat").scrollTop = $("chat").scrollHeight;
    });
  } catch (error) {
    about.className = error.name === "AbortError" ? "about" : "about error";
    about.textContent = error.name === "AbortError" ? "stopped" : error.message;
  }
  return whole;
}

function summary(method, { usage, ltri }) {
  const rate = usage.completion_tokens > 1 ? (usage.completion_tokens - 1) / ltri.answer_seconds : 0;
  const known = usage.prompt_tokens_details.cached_tokens;
  return `${chosen.size ? "documents" : method}: ${number(usage.prompt_tokens)} tokens read` +
    `${known ? ` (${number(known)} known before)` : ""}, first word after ` +
    `${(ltri.queue_seconds + ltri.first_token_seconds).toFixed(1)} s, ${rate.toFixed(1)} tokens/s`;
}

function showCitations(citations, place) {
  const list = make("div", "citations");
  for (const citation of citations) {
    const button = make("button");
    button.append(make("span", "share", percent(citation.share)), make("span", "name", citation.document),
      make("span", "words", citation.text));
    button.title = `${citation.document}: ${citation.text}`;
    button.onclick = () => showPlace(citation, citations);
    list.append(button);
  }
  place.append(list);
}

// Which parts of the text the answer drew on: votes above, below a row for each layer.
function memoryMap({ tokens, layers, votes }) {
  const details = make("details", "map");
  details.append(make("summary", "", "Where it looked"));
  const canvas = make("canvas");
  const row = 4;
  canvas.width = 800;
  canvas.height = 40 + row * layers.length;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `votes over ${number(tokens)} tokens, and what ${layers.length} layers saw`);
  const style = getComputedStyle(document.documentElement);
  const draw = canvas.getContext("2d");
  const x = (token) => (token / tokens) * canvas.width;
  const bar = (begin, end, y, height) => draw.fillRect(x(begin), y, Math.max(1, x(end) - x(begin)), height);
  const most = Math.max(...votes.map((vote) => vote.share), 1e-9);
  draw.fillStyle = style.getPropertyValue("--ink");
  for (const { begin, end, share } of votes) bar(begin, end, 36 * (1 - share / most), 36 * (share / most));
  draw.fillStyle = style.getPropertyValue("--accent");
  layers.forEach((ranges, layer) => {
    for (const [begin, end] of ranges) bar(begin, end, 40 + row * layer, row - 1);
  });
  canvas.onmousemove = (event) => {
    const token = Math.floor((event.offsetX / canvas.clientWidth) * tokens);
    const layer = Math.floor(((event.offsetY / canvas.clientHeight) * canvas.height - 40) / row);
    const vote = votes.find(({ begin, end }) => begin <= token && token < end);
    canvas.title = `token ${number(token)}${layer >= 0 ? `, layer ${layer}` : ""}` +
      `${vote ? `, ${percent(vote.share)} of the votes` : ""}`;
  };
  details.append(canvas, make("small", "", `${number(tokens)} tokens from left to right; above: what was asked for ` +
    `most; below: what each of ${layers.length} layers saw when the last token was made`));
  return details;
}

async function send() {
  const question = $("question").value.trim();
  if (!question || running) return;
  $("question").value = "";
  messages.push({ role: "user", content: question });
  $("chat").append(make("li", "user", question));
  const row = make("li", "answers");
  $("chat").append(row);
  running = new AbortController();
  $("stop").hidden = false;
  $("send").disabled = true;
  const methods = [$("method").value];
  if ($("other").value && !chosen.size) methods.push($("other").value);
  const texts = await Promise.all(methods.map((method) => {
    const place = make("div", "answer");
    row.append(place);
    return answer(method, place);
  }));
  if (texts[0]) messages.push({ role: "assistant", content: texts[0] });
  else messages.pop();  // it may be asked again
  running = null;
  $("stop").hidden = true;
  $("send").disabled = false;
  $("question").focus();
}

function stop() {
  running?.abort();
}

function begin() {
  stop();
  messages = [];
  $("chat").replaceChildren();
  $("question").focus();
}

// --- the server's load ---

async function showLoad() {
  try {
    const text = await (await call("/metrics")).text();
    const value = (name) => Number(text.match(new RegExp(`^${name} (.*)$`, "m"))?.[1] ?? 0);
    $("load").textContent = `${value("ltri_reading_requests")} reading, ${value("ltri_answering_requests")} answering, ` +
      `${value("ltri_queued_requests")} waiting · ${(value("ltri_peak_memory_bytes") / 1e9).toFixed(2)} GB at most`;
  } catch {
    $("load").textContent = "the server does not reply";
  }
}

async function start() {
  for (const method of METHODS) {
    $("method").append(new Option(method));
    $("other").append(new Option(method));
  }
  $("ask").onsubmit = (event) => { event.preventDefault(); send(); };
  $("question").onkeydown = (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); send(); }
  };
  document.onkeydown = (event) => {
    if (event.key === "Escape") stop();
    if (event.ctrlKey && event.altKey && event.key === "n") begin();
  };
  $("stop").onclick = stop;
  $("new").onclick = begin;
  $("file").onchange = () => upload($("file").files);
  $("drop").onkeydown = (event) => { if (event.key === "Enter" || event.key === " ") $("file").click(); };
  for (const kind of ["dragover", "dragleave", "drop"]) {
    $("drop").addEventListener(kind, (event) => {
      event.preventDefault();
      $("drop").classList.toggle("over", kind === "dragover");
      if (kind === "drop") upload(event.dataTransfer.files);
    });
  }
  const one = (await (await call("/v1/models")).json()).data[0];
  model = one.id;
  $("model").textContent = model;
  $("method").value = one.meta.method;
  $("budget").value = one.meta.budget;
  $("tokens").max = one.meta.answer_tokens;
  await listDocuments();
  showLoad();
  setInterval(showLoad, 3000);
}

start().catch((error) => $("chat").append(make("li", "answer", error.message)));
