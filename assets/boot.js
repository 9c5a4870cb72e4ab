// Starts the WebAssembly program. A file of its own because the page's Content-Security-Policy forbids
// inline scripts; Trunk writes the names of the two files it built into the attributes of our element.
const { js, wasm } = document.querySelector("script[data-wasm]").dataset;
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

// What the program asks of the page's scripts: the editor is fetched only when it calls this.
globalThis.portside = { loadEditor: () => import(at("vendor/codemirror.js")), crashed };

try {
  const program = await import(at(js));
  await program.default({ module_or_path: at(wasm) });
} catch (error) {
  if (element("crashed").hidden) element("boot-failed").hidden = false;
  throw error;
}
