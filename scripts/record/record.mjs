// Opens the built page without a browser and tells which functions of its program run until the page can be
// typed into: `node record.mjs SITE MODULE` prints their numbers, one a line. MODULE is the program as
// portside-split made it for recording. A document of happy-dom stands in for the browser's; what only
// a browser has (sizes, frames, timers) is answered here.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Window } from "happy-dom";

const [site, recording] = process.argv.slice(2);
const base = pathToFileURL(`${resolve(site)}/`).href;
const window = new Window({ url: base, width: 1440, height: 900, settings: { disableJavaScriptFileLoading: true, disableCSSFileLoading: true, handleDisabledFileLoadingAsSuccess: true } });
const ran = new Set();

// The page's globals, as the program sees them.
for (const name of Object.getOwnPropertyNames(window)) {
  if (name in globalThis) continue;
  const value = window[name];
  const method = typeof value === "function" && !/^[A-Z]/.test(name);
  Object.defineProperty(globalThis, name, { value: method ? value.bind(window) : value, configurable: true, writable: true });
}
globalThis.window = globalThis.self = globalThis;
globalThis.Window = class { static [Symbol.hasInstance](value) { return value === globalThis; } };
Object.defineProperty(globalThis, "navigator", { value: window.navigator });
for (const name of ["Event", "EventTarget", "CustomEvent", "addEventListener", "removeEventListener", "dispatchEvent", "location"]) {
  const value = window[name];
  Object.defineProperty(globalThis, name, { value: typeof value === "function" && !/^[A-Z]/.test(name) ? value.bind(window) : value, configurable: true });
}

// Who waits for time or for a frame finds the whole program then. Yew's scheduler yields to the browser every
// few milliseconds: by this clock it always does, on any machine.
let now = 0;
Date.now = () => (now += 10);
globalThis.setTimeout = (run, delay = 0) => (delay > 0 ? 0 : (setImmediate(run), 1));
globalThis.setInterval = globalThis.requestAnimationFrame = () => 0;
const sizes = [];
globalThis.ResizeObserver = class {
  constructor(tell) { this.tell = tell; }
  observe(target) {
    const contentRect = new window.DOMRect(0, 0, 980, 480);
    const entry = Object.create(ResizeObserverEntry.prototype, { target: { value: target }, contentRect: { value: contentRect } });
    sizes.push(() => this.tell([entry], this));
  }
  unobserve() {}
  disconnect() {}
};
globalThis.ResizeObserverEntry = class {};

document.write(await readFile(resolve(site, "index.html"), "utf8"));

// The program comes from the recording module, and tells.
globalThis.fetch = async (url) => {
  const bytes = await readFile(url.endsWith(".wasm") ? recording : new URL(url));
  return new Response(bytes, { headers: { "content-type": "application/wasm" } });
};
const { instantiate, compile } = WebAssembly;
WebAssembly.compileStreaming = async (answer) => compile(await (await answer).arrayBuffer());
WebAssembly.instantiateStreaming = undefined;
const page = { ran: (number) => ran.add(number) };
WebAssembly.instantiate = (module, imports) => instantiate(module, { ...imports, page: { ...imports.page, ...page } });

const settle = async () => {
  for (let turn = 0; turn < 200; turn++) await new Promise((next) => setImmediate(next));
};
await import(new URL("boot.js", base).href);
await settle();
for (const tell of sizes) tell();
await settle();
const mounted = ran.size;

// What a hand does before the first command: point, look around, type.
const fire = (target, kind, Kind, more = {}) => target.dispatchEvent(new Kind(kind, { bubbles: true, cancelable: true, composed: true, ...more }));
const input = document.getElementById("terminal-input");
if (!input) throw new Error("the page has no terminal");
for (const target of [document.querySelector("[data-thing]"), input]) {
  for (const kind of ["pointerover", "pointermove"]) fire(target, kind, window.PointerEvent);
  for (const kind of ["mouseover", "mousemove", "mousedown", "mouseup"]) fire(target, kind, window.MouseEvent);
  fire(target, "pointerleave", window.PointerEvent);
  fire(target, "focusin", window.FocusEvent);
  fire(target, "focusout", window.FocusEvent);
}
fire(input, "click", window.MouseEvent);
for (const key of "kubectl get pods") {
  fire(input, "keydown", window.KeyboardEvent, { key });
  input.value += key;
  fire(input, "input", window.InputEvent, { data: key });
  fire(input, "keyup", window.KeyboardEvent, { key });
}
for (const key of ["Backspace", "ArrowLeft"]) fire(input, "keydown", window.KeyboardEvent, { key });
fire(document.querySelector(".screen"), "scroll", window.Event);
await settle();

console.error(`${mounted} functions until the page stands, ${ran.size} until it was typed into`);
if (process.env.RECORD_PAGE) console.error(document.body.innerHTML);
process.stdout.write([...ran].sort((a, b) => a - b).join("\n") + "\n");
process.exit(0);
