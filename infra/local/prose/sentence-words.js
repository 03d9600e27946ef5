// A rule for textlint: a sentence has at most `max` words. A code span is one word; code blocks are not sentences.
const { SentenceSplitterSyntax, splitAST } = require("sentence-splitter");

module.exports = ({ Syntax, RuleError, report, getSource }, { max }) => {
  const plain = ({ type, children, value }) => {
    if (type === Syntax.Code) return "code";
    return children ? children.map(plain).join("") : (value ?? " ");
  };
  const check = (node) => {
    for (const sentence of splitAST(node).children.filter(({ type }) => type === SentenceSplitterSyntax.Sentence)) {
      const words = plain(sentence).split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
      if (words > max) report(sentence, new RuleError(`${getSource(sentence)} => ${words} words, at most ${max}`));
    }
  };
  return { [Syntax.Paragraph]: check, [Syntax.Header]: check, [Syntax.TableCell]: check };
};
