// Starts the WebAssembly program. A file of its own because the page's Content-Security-Policy forbids
// inline scripts; the build writes the names of its files into the attributes of our element.
const { js, wasm, second } = document.querySelector("script[data-wasm]").dataset;
const at = (path) => new URL(path, document.baseURI).href;
const element = (id) => document.getElementById(id);

// After a panic nothing of the program may run again. What the person wrote is saved; a reload goes on from
// the last saved state, and "start over" from an empty one.
function crashed(message) {
  const alarm = element("crashed");
  if (!alarm.hidden) return;
  element("crash-message").textContent = message;
  alarm.hidden = false;
  element("app").inert = true;
  element("crash-restart").focus();
}
element("crash-restart").addEventListener("click", () => location.reload());
element("crash-forget").addEventListener("click", () => {
  // Files are kept: only the cluster is forgotten.
  try {
    const saved = JSON.parse(localStorage.getItem("portside"));
    delete saved.cluster;
    localStorage.setItem("portside", JSON.stringify(saved));
  } catch {
    localStorage.removeItem("portside");
  }
  location.reload();
});

// Compiles a part of the program while it arrives, where the server says what it is.
async function compile(path) {
  const answer = await fetch(at(path));
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  const streams = answer.headers.get("content-type") === "application/wasm";
  return streams ? WebAssembly.compileStreaming(answer) : WebAssembly.compile(await answer.arrayBuffer());
}

// The program has two parts (split/src/lib.rs): the first is the page until the first command, the second is
// all else. Where the build did not split it, the first part is the program.
let first;
let whole = !second;
function join(module) {
  if (whole) return;
  new WebAssembly.Instance(module, { first });
  whole = true;
}

// The first part calls this when it needs the second one before that has arrived. Nothing can go on
// meanwhile, so it is fetched at once and in place.
function loadSecondPart() {
  try {
    const request = new XMLHttpRequest();
    request.open("GET", at(second), false);
    request.overrideMimeType("text/plain; charset=x-user-defined");
    request.send();
    join(new WebAssembly.Module(Uint8Array.from(request.responseText, (letter) => letter.charCodeAt(0))));
  } catch (error) {
    crashed(`${error}`);
    throw error;
  }
}

function kept() {
  try {
    return localStorage.getItem("portside");
  } catch {
    // A browser may have no storage for us.
    return null;
  }
}

const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));

// Someone who comes back finds a cluster as it was left, and who follows a link opens another one. Making that
// takes the whole program.
const returning = location.hash.length > 1 || kept() !== null;
let arrived;

// What the program asks of the page's scripts: the editor is fetched only when it calls this, and what can
// wait for the second part does.
globalThis.portside = {
  loadEditor: () => import(at("vendor/codemirror.js")),
  crashed,
  whole: whole || returning ? undefined : new Promise((done) => (arrived = done)),
};

try {
  const early = returning && second ? compile(second) : undefined;
  const [program, module] = await Promise.all([import(at(js)), compile(wasm)]);
  // wasm-bindgen's script makes the imports; the program needs one more, and we need what it exports.
  const { instantiate } = WebAssembly;
  WebAssembly.instantiate = async (module, imports) => {
    WebAssembly.instantiate = instantiate;
    const instance = await instantiate(module, { ...imports, page: { load_second_part: loadSecondPart } });
    first = instance.exports;
    if (early) join(await early);
    return instance;
  };
  await program.default({ module_or_path: module });
  if (arrived) {
    await painted();
    join(await compile(second));
    arrived();
  }
} catch (error) {
  if (element("crashed").hidden) element("boot-failed").hidden = false;
  throw error;
}
