// Adds paragraphs to the tree of a Markdown file: texts of HTML, titles, and alternatives to images. The rules do not look for these.
const { attributes, blocks } = require("./html.json");

const MARKUP = /<!--(?<comment>[^]*?)(?:-->|$)|<\/?(?<name>[a-z][\w-]*)(?<inside>(?:"[^"]*"|'[^']*'|[^"'>])*)>|\n[ \t>]*\n/gi;
const ATTRIBUTE = new RegExp(`\\b(?:${attributes.join("|")})\\s*=\\s*(?:"([^"]*)"|'([^']*)')`, "gi");
// Markdown would take the rest of the file for code or HTML.
const UNCLOSED = [
  /^(```+|~~~+)(?![^]*\n[\s>]*\1[`~]*\s*$)/,
  /^<!--(?![^]*-->)/,
  /^<(?:script|pre|style|textarea)\b(?![^]*<\/(?:script|pre|style|textarea)>)/i,
  /^<\?(?![^]*\?>)/,
  /^<!\[CDATA\[(?![^]*\]\]>)/,
];

module.exports.withMarkup = (tree, source) => {
  const text = (start, end) => ({ type: "Str", value: source.slice(start, end), raw: source.slice(start, end), range: [start, end], loc: tree.loc });
  const paragraph = (children) => {
    const range = [children[0].range[0], children.at(-1).range[1]];
    tree.children.push({ type: "Paragraph", children, raw: source.slice(...range), range, loc: tree.loc });
  };
  const visit = (node) => {
    if (node.type === "Html") html(node, text, paragraph);
    for (const value of [node.alt, node.title]) {
      const at = value ? source.slice(...node.range).indexOf(value) : -1;
      // With escapes it is not there as it is.
      if (value) paragraph([at < 0 ? { ...text(...node.range), value } : text(node.range[0] + at, node.range[0] + at + value.length)]);
    }
    node.children?.forEach(visit);
  };
  [...tree.children].forEach(visit);
  return tree;
};

function html({ raw, range: [begin] }, text, paragraph) {
  let [sentence, at] = [[], 0];
  const add = (end) => {
    if (raw.slice(at, end).trim()) sentence.push(text(begin + at, begin + end));
  };
  const finish = () => {
    if (sentence.length) paragraph(sentence);
    sentence = [];
  };
  for (const { 0: found, index, groups } of raw.matchAll(MARKUP)) {
    add(index);
    at = index + found.length;
    if (groups.name) {
      for (const attribute of found.matchAll(ATTRIBUTE)) {
        const value = attribute[1] ?? attribute[2];
        const start = begin + index + attribute.index + attribute[0].length - 1 - value.length;
        if (value.trim()) paragraph([text(start, start + value.length)]);
      }
    }
    if (groups.comment?.trim()) paragraph([text(begin + index + 4, begin + index + 4 + groups.comment.length)]);
    if (!groups.name || blocks.includes(groups.name.toLowerCase())) finish();
  }
  add(raw.length);
  finish();
}

module.exports.unclosed = ({ Syntax, RuleError, report, getSource }) => {
  const check = (node) => {
    const source = getSource(node);
    if (UNCLOSED.some((begin) => begin.test(source))) report(node, new RuleError(`${source.split("\n")[0]} => close what it begins`));
  };
  return { [Syntax.Html]: check, [Syntax.CodeBlock]: check };
};
