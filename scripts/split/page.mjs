// Opens the built page without a browser, up to the first command: `node page.mjs SITE LANGUAGE MODULE TOLD`
// writes what came of it to TOLD. MODULE takes the place of the program: one that tells what of it is used, or
// the first part alone. A document of happy-dom stands in for the browser's; sizes, frames and timers, which
// only a browser has, are answered here.
import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Window } from "happy-dom";

const [site, language, program, told] = process.argv.slice(2);
const base = pathToFileURL(`${resolve(site)}/`).href;
const window = new Window({
  url: base,
  width: 1440,
  height: 900,
  settings: { disableJavaScriptFileLoading: true, disableCSSFileLoading: true, handleDisabledFileLoadingAsSuccess: true },
});

// The page's globals, as the program sees them; where Node.js has one of its own, the document's is meant.
const isMethod = (name, value) => typeof value === "function" && /^[a-z]/.test(name);
const own = ["Event", "EventTarget", "CustomEvent", "addEventListener", "removeEventListener", "dispatchEvent", "location", "navigator"];
for (const name of new Set([...Object.getOwnPropertyNames(window), ...own])) {
  if (name in globalThis && !own.includes(name)) continue;
  const value = window[name];
  const global = isMethod(name, value) ? value.bind(window) : value;
  Object.defineProperty(globalThis, name, { value: global, configurable: true, writable: true });
}
Object.defineProperty(globalThis.navigator, "language", { value: language });
globalThis.window = globalThis.self = globalThis;
globalThis.Window = class {
  static [Symbol.hasInstance](value) {
    return value === globalThis;
  }
};

// Who waits for time or for a frame finds the whole program then. Yew's scheduler yields to the browser every
// few milliseconds: by this clock it always does, on any machine.
let now = 0;
Date.now = () => (now += 10);
performance.now = () => now;
globalThis.setTimeout = (run, delay = 0) => (delay > 0 ? 0 : (setImmediate(run), 1));
globalThis.setInterval = () => 0;
// boot.js waits for a frame when the program has begun, and for nothing before that.
const begun = new Promise((done) => {
  globalThis.requestAnimationFrame = () => (done(), 0);
});

const observers = [];
globalThis.ResizeObserverEntry = class {
  constructor(width, height) {
    this.contentRect = new window.DOMRect(0, 0, width, height);
  }
};
globalThis.ResizeObserver = class {
  constructor(tell) {
    this.tell = tell;
  }
  observe() {
    observers.push((width, height) => this.tell([new ResizeObserverEntry(width, height)], this));
  }
  disconnect() {}
};

document.write(await readFile(resolve(site, "index.html"), "utf8"));
const script = document.querySelector("script[data-wasm]");
// There is a second part, and it does not arrive.
script.dataset.second = "second.wasm";

globalThis.fetch = async (url) => {
  if (url.endsWith("second.wasm")) return new Promise(() => {});
  return new Response(await readFile(url.endsWith(".wasm") ? program : new URL(url)));
};
const seen = new Set();
const failed = [];
const { instantiate } = WebAssembly;
WebAssembly.instantiate = (module, imports) => {
  const page = {
    ran: (point) => seen.add(`point ${point}`),
    read: (address, bytes) => seen.add(`read ${address} ${bytes}`),
    load_second_part() {
      failed.push(new Error("the first part needs the second before the first command"));
      throw failed[0];
    },
  };
  return instantiate(module, { ...imports, page });
};
const giveUp = (error) => {
  console.error(error);
  process.exit(1);
};
process.on("uncaughtException", giveUp);

// Turns of the event loop, until nothing is left to be done.
const settle = async () => {
  for (let turn = 0; turn < 200; turn++) await new Promise((next) => setImmediate(next));
};
import(new URL("boot.js", base).href).catch(giveUp);
await begun;
await settle();
// The map of a wide screen, of a phone and of a laptop.
for (const [width, height] of [[2600, 1000], [340, 420], [980, 480]]) {
  for (const tell of observers) tell(width, height);
  await settle();
}

// What hands do before the first command has run: point, look around, type, press Enter.
const fire = (target, kind, Kind, more = {}) =>
  target.dispatchEvent(new Kind(kind, { bubbles: true, cancelable: true, composed: true, ...more }));
const input = document.getElementById("terminal-input");
const thing = document.querySelector(".canvas [data-thing]");
if (!input || !thing) throw new Error("the page has no terminal or no map");
for (const target of [thing, input]) {
  for (const kind of ["pointerover", "pointermove", "pointerleave"]) fire(target, kind, window.PointerEvent);
  for (const kind of ["mouseover", "mousemove", "mousedown", "mouseup"]) fire(target, kind, window.MouseEvent);
  for (const kind of ["focusin", "focusout"]) fire(target, kind, window.FocusEvent);
}
fire(input, "click", window.MouseEvent);
fire(document.querySelector(".screen"), "scroll", window.Event);
const press = (key) => {
  fire(input, "keydown", window.KeyboardEvent, { key });
  fire(input, "keyup", window.KeyboardEvent, { key });
};
for (const key of "kubectl get pods") {
  press(key);
  input.value += key;
  fire(input, "input", window.InputEvent, { data: key });
}
["Backspace", "ArrowLeft", "ArrowRight", "Shift", "Enter"].forEach(press);
await settle();

if (failed.length > 0) giveUp(failed[0]);
await writeFile(told, JSON.stringify({ seen: [...seen], page: document.body.innerHTML }));
// The document has timers of its own.
process.exit();
