// A rule for textlint: at most `max` words a sentence. One word: a code span, a {placeholder}, a number such as
// 10 000.

// After a full stop and what closes it. A sentence may begin with the small letter of a function's name.
const SENTENCE_END = /(?<=[.!?]["”’')\]]*)(?<!\b(?:e\.g|i\.e|etc|cf|vs)\.)\s+/u;
const NO_SPACE = "\u2060";

function plain({ type, children, value }) {
  if (type === "Code") return `\`${value.replace(/ /g, NO_SPACE)}\``;
  if (type === "Html") return "";
  return children ? children.map(plain).join("") : (value ?? "");
}

function wordsIn(sentence) {
  return sentence.replace(/(?<=\d) (?=\d{3}\b)/g, "").split(/\s+/).filter((word) => /[\p{L}\p{N}`{]/u.test(word)).length;
}

module.exports = ({ Syntax, RuleError, report, getSource, locator }, { max }) => {
  const check = (node) => {
    const text = plain(node);
    let at = 0;
    for (const sentence of text.split(SENTENCE_END)) {
      at = text.indexOf(sentence, at);
      const words = wordsIn(sentence);
      if (words > max) {
        const before = text.slice(0, at).split("\n").length - 1;
        const lines = getSource(node).split("\n").slice(0, before);
        const padding = locator.at(lines.join("\n").length + (before ? 1 : 0));
        report(node, new RuleError(`${sentence.replaceAll(NO_SPACE, " ")} => ${words} words, at most ${max}`, { padding }));
      }
      at += sentence.length;
    }
  };
  return { [Syntax.Paragraph]: check, [Syntax.Header]: check, [Syntax.TableCell]: check };
};
