// Finds what assistive technology would: the visible elements of a role, by accessible name.
// arguments: role, name (null for any). Returns the matches, exact names first, then names that begin so.
// Open shadow roots are searched too. Covers the roles that the page uses, not all of WAI-ARIA.
const [role, name] = arguments;

const roles = {
  A: "link", ARTICLE: "article", ASIDE: "complementary", BUTTON: "button", DIALOG: "dialog", H1: "heading", H2: "heading", H3: "heading",
  HEADER: "banner", LI: "listitem", MAIN: "main", NAV: "navigation", OL: "list", OPTION: "option", OUTPUT: "status",
  SECTION: "region", SELECT: "combobox", TABLE: "table", TEXTAREA: "textbox", UL: "list",
};
const inputs = { button: "button", checkbox: "checkbox", radio: "radio", range: "slider", number: "spinbutton", search: "searchbox" };
const named_by_content = ["button", "link", "heading", "option", "tab", "menuitem", "menuitemradio", "menuitemcheckbox", "listitem", "radio", "switch", "treeitem"];

const tidy = (text) => (text ?? "").replace(/\s+/g, " ").trim();
const roleOf = (element) =>
  element.getAttribute("role") ??
  (element.tagName === "INPUT" ? (inputs[element.type] ?? "textbox") : roles[element.tagName]);
const labelled = (element) =>
  (element.getAttribute("aria-labelledby") ?? "").split(/\s+/).filter(Boolean)
    .map((id) => element.getRootNode().getElementById?.(id)?.textContent ?? "").join(" ");
const nameOf = (element) =>
  tidy(labelled(element)) || tidy(element.getAttribute("aria-label")) ||
  tidy([...(element.labels ?? [])].map((label) => label.textContent).join(" ")) ||
  (named_by_content.includes(roleOf(element)) && tidy(element.textContent)) ||
  tidy(element.getAttribute("title")) || tidy(element.getAttribute("placeholder"));

const found = [];
(function search(root) {
  for (const element of root.querySelectorAll("*")) {
    if (element.shadowRoot) search(element.shadowRoot);
    if (roleOf(element) !== role || element.closest("[aria-hidden=true], [inert], [hidden]")) continue;
    if (element.getClientRects().length) found.push([nameOf(element), element]);
  }
})(document);
if (name === null) return found.map(([, element]) => element);
const exact = found.filter(([is]) => is === name);
const begins = found.filter(([is]) => is !== name && is.startsWith(name));
return [...exact, ...begins].map(([, element]) => element);
