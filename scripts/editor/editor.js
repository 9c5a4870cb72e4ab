// The YAML editor: CodeMirror 6 behind the few calls that Portside's page makes.
//
// It owns text, cursor, undo per file and the marks that it is given. It decides nothing: diagnostics and
// completions come from the page, which asks the same Rust code that the simulated API server runs.
// It lives in a shadow root, where CodeMirror uses adopted style sheets instead of a <style> element, which
// the page's Content-Security-Policy forbids.
//
// Lines and columns count from 1; a column counts characters (code points). Offsets given to the
// completion source count UTF-16 units, as JavaScript's strings do.
//
// Colours are the page's: custom properties named --code-… reach into the shadow root (see `colours`).

import { autocompletion, acceptCompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentLess, indentMore } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { Annotation, Compartment, EditorState, Prec, StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

// name: [light, dark], used where the page does not set the property. 4.5:1 against white and #16181d.
const colours = {
  ink: ["#1d2129", "#e4e7ec"],
  paper: ["transparent", "transparent"],
  muted: ["#667080", "#8d97a6"],
  line: ["#0000000a", "#ffffff0d"],
  selection: ["#1f5fbf33", "#7fb0ff40"],
  mark: ["#d9480f1f", "#ff9a5c2e"],
  key: ["#1f5fbf", "#82b4ff"],
  string: ["#23713f", "#7fd09a"],
  literal: ["#a3470b", "#f2a877"],
  comment: ["#667080", "#8d97a6"],
  error: ["#c22e0d", "#ff8364"],
  warning: ["#9a5b00", "#f0b357"],
  info: ["#1f5fbf", "#82b4ff"],
};

const colour = (name, dark) => `var(--code-${name}, ${colours[name][dark ? 1 : 0]})`;

function theme(dark) {
  const c = (name) => colour(name, dark);
  const underline = (name) => ({ backgroundImage: "none", textDecoration: `underline wavy ${c(name)} 1px`, textUnderlineOffset: "3px" });
  return EditorView.theme(
    {
      "&": { height: "100%", color: c("ink"), backgroundColor: c("paper"), fontSize: "inherit" },
      "&.cm-focused": { outline: "none" },
      ".cm-scroller": { fontFamily: "var(--code-font, ui-monospace, SFMono-Regular, Menlo, Consolas, monospace)", lineHeight: "1.5", overflow: "auto" },
      ".cm-content": { caretColor: c("ink"), padding: "8px 0" },
      ".cm-gutters": { backgroundColor: "transparent", color: c("muted"), border: "none" },
      ".cm-lineNumbers .cm-gutterElement": { minWidth: "2.5ch", padding: "0 4px" },
      ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: c("line") },
      ".cm-content ::selection": { backgroundColor: c("selection") },
      ".cm-marked-line": { backgroundColor: c("mark"), boxShadow: `inset 3px 0 ${c("error")}` },
      ".cm-lintRange-error": underline("error"),
      ".cm-lintRange-warning": underline("warning"),
      ".cm-lintRange-info, .cm-lintRange-hint": underline("info"),
      ".cm-tooltip": { color: c("ink"), backgroundColor: "var(--code-popup, Canvas)", border: `1px solid ${c("muted")}`, borderRadius: "6px", overflow: "hidden", maxWidth: "min(48ch, 90vw)" },
      // What a candidate is for stands beside the list, outside of its frame.
      ".cm-tooltip.cm-tooltip-autocomplete": { overflow: "visible" },
      ".cm-tooltip.cm-tooltip-autocomplete > ul": { maxHeight: "15em", borderRadius: "5px", fontFamily: "var(--code-font, ui-monospace, SFMono-Regular, Menlo, Consolas, monospace)" },
      ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "2px 8px" },
      ".cm-tooltip-autocomplete ul li[aria-selected]": { color: c("ink"), backgroundColor: c("selection") },
      ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700" },
      ".cm-completionDetail": { marginLeft: "1.5ch", color: c("muted"), fontStyle: "normal" },
      ".cm-tooltip.cm-completionInfo": { width: "max-content", maxWidth: "38ch", padding: "6px 10px", lineHeight: "1.5", fontFamily: "var(--code-words, system-ui, sans-serif)", fontSize: "12px" },
      ".cm-panels": { color: c("ink"), backgroundColor: "var(--code-popup, Canvas)" },
    },
    { dark },
  );
}

function highlighting(dark) {
  const c = (name) => colour(name, dark);
  return syntaxHighlighting(
    HighlightStyle.define(
      [
        { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: c("key") },
        { tag: [tags.string, tags.special(tags.string)], color: c("string") },
        { tag: [tags.number, tags.bool, tags.null, tags.keyword, tags.typeName, tags.labelName], color: c("literal") },
        { tag: [tags.comment, tags.lineComment], color: c("comment"), fontStyle: "italic" },
        { tag: [tags.punctuation, tags.separator, tags.squareBracket, tags.brace, tags.meta], color: c("muted") },
      ],
      { themeType: dark ? "dark" : "light" },
    ),
  );
}

// One line may be marked: the one that an explanation blames.
const markLine = StateEffect.define();
const markedLine = StateField.define({
  create: () => Decoration.none,
  update(marks, transaction) {
    marks = marks.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (!effect.is(markLine)) continue;
      const { doc } = transaction.state;
      const line = effect.value;
      const known = line !== null && line >= 1 && line <= doc.lines;
      marks = known ? Decoration.set(Decoration.line({ class: "cm-marked-line" }).range(doc.line(line).from)) : Decoration.none;
    }
    return marks;
  },
  provide: (field) => EditorView.decorations.from(field),
});

// The page set this text: it need not be told of it.
const fromPage = Annotation.define();

// Tab takes a completion, else indents; Escape and then Tab leaves the editor, as CodeMirror has it.
function tab(view) {
  if (acceptCompletion(view)) return true;
  if (!view.state.selection.main.empty) return indentMore(view);
  const { head } = view.state.selection.main;
  const column = head - view.state.doc.lineAt(head).from;
  view.dispatch(view.state.replaceSelection(" ".repeat(2 - (column % 2))), { scrollIntoView: true, userEvent: "input" });
  return true;
}

function offsetOf(doc, lineNumber, column) {
  const line = doc.line(Math.min(Math.max(Math.trunc(lineNumber) || 1, 1), doc.lines));
  let units = 0;
  let left = Math.max(Math.trunc(column) || 1, 1) - 1;
  for (const character of line.text) {
    if (left-- <= 0) break;
    units += character.length;
  }
  return line.from + units;
}

function columnOf(line, offset) {
  return [...line.text.slice(0, offset - line.from)].length + 1;
}

class Editor {
  #view;
  #options;
  #label = new Compartment();
  #look = new Compartment();
  #words = new Compartment();
  #complete;
  #dark;
  #phrases;
  #name = null;
  #states = new Map();

  constructor(host, options) {
    this.#options = options;
    this.#complete = options.completions ?? null;
    this.#dark = Boolean(options.dark);
    this.#phrases = options.phrases ?? {};
    const shadow = host.shadowRoot ?? host.attachShadow({ mode: "open" });
    shadow.replaceChildren();
    this.#view = new EditorView({ state: this.#state(options.doc ?? ""), parent: shadow, root: shadow });
  }

  #state(doc) {
    return EditorState.create({ doc, extensions: this.#extensions() });
  }

  #extensions() {
    return [
      Prec.highest(keymap.of([{ key: "Mod-Enter", run: () => (this.#options.onSubmit?.(), true) }])),
      keymap.of([{ key: "Tab", run: tab, shift: indentLess }, ...closeBracketsKeymap, ...completionKeymap, ...lintKeymap, ...historyKeymap, ...defaultKeymap]),
      lineNumbers(),
      lintGutter(),
      highlightActiveLine(),
      highlightActiveLineGutter(),
      highlightSpecialChars(),
      history(),
      indentOnInput(),
      indentUnit.of("  "),
      EditorState.tabSize.of(2),
      bracketMatching(),
      closeBrackets(),
      yaml(),
      autocompletion({ override: [(context) => this.#completions(context)], icons: false }),
      markedLine,
      EditorView.updateListener.of((update) => this.#updated(update)),
      this.#label.of(this.#labelled()),
      this.#look.of(this.#looks()),
      this.#words.of(EditorState.phrases.of(this.#phrases)),
    ];
  }

  #labelled() {
    return EditorView.contentAttributes.of({ "aria-label": this.#options.label ?? "YAML", spellcheck: "false", autocapitalize: "off" });
  }

  #looks() {
    return [theme(this.#dark), highlighting(this.#dark)];
  }

  #updated(update) {
    if (update.docChanged && !update.transactions.some((transaction) => transaction.annotation(fromPage))) {
      this.#options.onChange?.(update.state.doc.toString());
    }
    if (this.#options.onCursor && (update.selectionSet || update.docChanged)) {
      const { head } = update.state.selection.main;
      const line = update.state.doc.lineAt(head);
      this.#options.onCursor(line.number, columnOf(line, head));
    }
  }

  async #completions(context) {
    if (!this.#complete) return null;
    const word = context.matchBefore(/[\w./-]*/);
    if (!word || (word.from === word.to && !context.explicit)) return null;
    const options = await this.#complete(context.state.doc.toString(), context.pos, context.explicit);
    return options?.length ? { from: word.from, options, validFor: /^[\w./-]*$/ } : null;
  }

  getDoc() {
    return this.#view.state.doc.toString();
  }

  // Replaces the text; the same file, so undo goes back over it. onChange is not called.
  setDoc(text) {
    const { doc } = this.#view.state;
    if (doc.toString() === text) return;
    this.#view.dispatch({ changes: { from: 0, to: doc.length, insert: text }, annotations: fromPage.of(true) });
  }

  // Shows the file `name`, with a cursor and an undo history of its own. onChange is not called.
  open(name, text) {
    if (this.#name !== null) this.#states.set(this.#name, this.#view.state);
    this.#name = name;
    const known = this.#states.get(name);
    this.#view.setState(known?.doc.toString() === text ? known : this.#state(text));
    this.#configure();
  }

  // Forgets the cursor and undo history of the file `name`.
  close(name) {
    this.#states.delete(name);
    if (this.#name === name) this.#name = null;
  }

  // [{from_line, from_col, to_line, to_col, severity: "error" | "warning" | "info" | "hint", message}];
  // the end is not part of the range.
  setDiagnostics(list) {
    const { doc } = this.#view.state;
    const diagnostics = Array.from(list, (item) => {
      const from = offsetOf(doc, item.from_line, item.from_col);
      const to = offsetOf(doc, item.to_line ?? item.from_line, item.to_col ?? item.from_col);
      return { from, to: Math.max(from, to), severity: item.severity ?? "error", message: item.message };
    });
    this.#view.dispatch(setDiagnostics(this.#view.state, diagnostics));
  }

  // fn(text, offset, explicit) gives [{label, detail?, info?, type?, apply?}] or a promise of it, or null.
  setCompletionSource(source) {
    this.#complete = source ?? null;
  }

  // Scrolls to a line and puts the cursor there, without taking the focus.
  revealLine(line) {
    const anchor = offsetOf(this.#view.state.doc, line, 1);
    this.#view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: "center" }) });
  }

  // Marks one line, or none by null.
  highlightLine(line) {
    this.#view.dispatch({ effects: markLine.of(line ?? null) });
  }

  setTheme(dark) {
    this.#dark = Boolean(dark);
    this.#configure();
  }

  // The accessible name, and CodeMirror's own words in the page's language (English word → word).
  setLanguage(label, phrases) {
    this.#options.label = label;
    this.#phrases = phrases ?? {};
    this.#configure();
  }

  #configure() {
    this.#view.dispatch({
      effects: [
        this.#label.reconfigure(this.#labelled()),
        this.#look.reconfigure(this.#looks()),
        this.#words.reconfigure(EditorState.phrases.of(this.#phrases)),
      ],
    });
  }

  focus() {
    this.#view.focus();
  }

  destroy() {
    this.#view.destroy();
  }
}

// Puts an editor into `host`. Options, all optional: doc, label, dark, phrases, onChange(text), onSubmit()
// on Ctrl-Enter or ⌘-Enter, onCursor(line, column), completions (as for setCompletionSource).
export function create(host, options) {
  return new Editor(host, { ...options });
}
