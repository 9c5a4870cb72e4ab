// Splits the program of a built site: `node split.mjs SITE portside-split`. It opens the page without a
// browser to see what of the program runs, lets portside-split move the rest into a second part, opens the
// page again with the first part alone to see that it stands, and puts both parts into the site.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [site, tool] = process.argv.slice(2);
const work = mkdtempSync(join(tmpdir(), "portside-split-"));
const file = (name) => join(work, name);
// The page is the same program in both languages, but not the same texts.
const open = (module) =>
  ["en-US", "zh-CN"].map((language) => {
    const page = [join(import.meta.dirname, "page.mjs"), site, language, module, file("told.json")];
    execFileSync(process.execPath, page, { stdio: ["ignore", "inherit", "inherit"] });
    return JSON.parse(readFileSync(file("told.json"), "utf8"));
  });

try {
  const index = join(site, "index.html");
  const html = readFileSync(index, "utf8");
  const [, link] = /data-wasm="([^"]+)"/.exec(html) ?? [];
  if (!link) throw new Error(`${index} names no program`);
  const name = link.split("/").at(-1);
  const program = join(site, name);

  execFileSync(tool, ["record", program, file("recording.wasm")], { stdio: "inherit" });
  const whole = open(file("recording.wasm"));
  writeFileSync(file("seen"), whole.flatMap((opened) => opened.seen).join("\n"));
  execFileSync(tool, ["split", program, file("seen"), file("first.wasm"), file("second.wasm")], { stdio: "inherit" });
  open(file("first.wasm")).forEach((opened, index) => {
    if (opened.page !== whole[index].page) throw new Error("the first part alone makes another page than the whole program");
  });

  // Named by their contents: a browser never joins parts of two builds.
  const hash = createHash("sha256").update(readFileSync(file("first.wasm"))).update(readFileSync(file("second.wasm"))).digest("hex").slice(0, 16);
  const renamed = (part) => `portside-${hash}_${part}.wasm`;
  for (const part of ["first", "second"]) writeFileSync(join(site, renamed(part)), readFileSync(file(`${part}.wasm`)));
  rmSync(program);
  const folder = link.slice(0, -name.length);
  const named = html.replaceAll(link, folder + renamed("first")).replace("data-wasm=", `data-second="${folder}${renamed("second")}" data-wasm=`);
  writeFileSync(`${index}.new`, named);
  renameSync(`${index}.new`, index);
} finally {
  rmSync(work, { recursive: true, force: true });
}
