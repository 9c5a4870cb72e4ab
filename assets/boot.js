// Starts the WebAssembly program. A file of its own because the page's Content-Security-Policy forbids
// inline scripts; Trunk writes the names of the two files it built into the attributes of our element.
const { js, wasm } = document.querySelector("script[data-wasm]").dataset;
const at = (path) => new URL(path, document.baseURI).href;

// What the program asks of the page's scripts: the editor is fetched only when it calls this.
globalThis.portside = { loadEditor: () => import(at("vendor/codemirror.js")) };

try {
  const program = await import(at(js));
  await program.default({ module_or_path: at(wasm) });
} catch (error) {
  document.getElementById("boot-failed").hidden = false;
  throw error;
}
