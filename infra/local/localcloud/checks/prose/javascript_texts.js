// node javascript_texts.js FILE…: prints [{comments, literals}, …] of the files as JSON, or {line, error} in place of a file's texts.
const fs = require("node:fs");
const { parse } = require("@babel/parser");

function texts(source, sourceType) {
  const literals = [];
  const visit = (node) => {
    if (["StringLiteral", "DirectiveLiteral"].includes(node.type)) literals.push(lines([[node.loc, node.value]]));
    if (node.type === "TemplateLiteral") literals.push(lines(node.quasis.map(({ loc, value }) => [loc, value.cooked ?? value.raw])));
    for (const [name, child] of Object.entries(node)) {
      if (child && typeof child === "object" && !/comments/i.test(name)) visit(child);
    }
  };
  const { comments, program } = parse(source, { sourceType });
  visit(program);
  const places = comments.map(({ type, value, loc: { start } }) => [type, start.line, start.column, value]);
  return { comments: places, literals };
}

// An expression between two parts is {}. A line of a part may be an escape in the source's line.
function lines(parts) {
  const found = [];
  for (const [{ start, end }, text] of parts) {
    const written = text.split("\n").map((line, index) => [Math.min(start.line + index, end.line), line]);
    if (found.length) found.at(-1)[1] += `{}${written.shift()[1]}`;
    found.push(...written);
  }
  return found;
}

const found = process.argv.slice(2).map((path) => {
  try {
    return texts(fs.readFileSync(path, "utf8"), path.endsWith(".mjs") ? "module" : "unambiguous");
  } catch (error) {
    return { line: error.loc?.line ?? 1, error: `it is not JavaScript: ${error.message}` };
  }
});
process.stdout.write(JSON.stringify(found));
