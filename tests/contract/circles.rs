//! The files of a crate do not import each other in circles.
//!
//! The test reads paths that begin with `crate` or `super`, without tests. Imports between a module and its submodules
//! are not a circle.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};
use testkit::repository::{packages, root};

/// Part by part; the crate's root has none.
type Module = Vec<String>;

type Graph = BTreeMap<Module, BTreeSet<Module>>;

/// Paths that begin with `crate` or `super`, with groups in braces split.
fn paths(source: &str) -> Vec<Module> {
    let code: Vec<_> = source.lines().map(|line| line.split("//").next().unwrap()).collect();
    let code = code.join("\n");
    let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let starts = ["crate::", "super::"].into_iter().flat_map(|start| code.match_indices(start));
    let mut found = Vec::new();
    for (at, _) in starts.filter(|(at, _)| !code[..*at].ends_with(|before| is_of_a_name(before) || before == ':')) {
        tree(&code[at..], Module::new(), &mut found);
    }
    found
}

fn is_of_a_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Reads one path or group, adds what it names below `within`, and returns the rest of the code.
fn tree<'a>(code: &'a str, mut within: Module, found: &mut Vec<Module>) -> &'a str {
    let end = code.find(|character| !is_of_a_name(character)).unwrap_or(code.len());
    let (name, rest) = code.split_at(end);
    within.extend((!name.is_empty()).then(|| name.to_owned()));
    if let Some(mut group) = rest.strip_prefix("::{").map(str::trim_start) {
        while !group.is_empty() && !group.starts_with('}') {
            let after = tree(group, within.clone(), found);
            // Past ` as name`.
            group = after.find([',', '}']).map_or("", |at| after[at..].trim_start_matches(',').trim_start());
        }
        return group.strip_prefix('}').unwrap_or(group);
    }
    if let Some(more) = rest.strip_prefix("::") {
        return tree(more, within, found);
    }
    found.push(within);
    rest
}

/// By module: the path of each name, and the module that defines it.
fn re_exports(modules: &BTreeMap<Module, PathBuf>) -> BTreeMap<Module, Module> {
    let mut found = BTreeMap::new();
    for (module, path) in modules {
        let code = fs::read_to_string(path).unwrap();
        for export in ["pub use ", "pub(crate) use ", "pub(super) use "] {
            for (at, _) in code.match_indices(export) {
                let mut exported = Vec::new();
                tree(&code[at + export.len()..], module.clone(), &mut exported);
                let source = |path: &Module| Some((path.last()?.clone(), path[..path.len() - 1].to_vec()));
                let sources = exported.iter().filter_map(source).filter(|(_, within)| modules.contains_key(within));
                found.extend(sources.map(|(name, within)| ([module.as_slice(), &[name]].concat(), within)));
            }
        }
    }
    found
}

/// The module of a path in `from`. The path of a re-exported name leads to the module that defines it.
fn target(
    path: &[String],
    from: &Module,
    modules: &BTreeMap<Module, PathBuf>,
    re_exports: &BTreeMap<Module, Module>,
) -> Option<Module> {
    let ups = path.iter().take_while(|part| *part == "super").count();
    let mut module = if ups == 0 { Module::new() } else { from[..from.len().checked_sub(ups)?].to_vec() };
    module.extend(path[ups.max(1)..].iter().cloned());
    loop {
        if let Some(exported) = re_exports.get(&module) {
            return Some(exported.clone());
        }
        if modules.contains_key(&module) {
            return Some(module);
        }
        module.pop()?;
    }
}

/// Finds the files in a folder, which has the submodules of `within`.
fn find_modules(folder: &Path, within: &Module, found: &mut BTreeMap<Module, PathBuf>) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let module = [within.as_slice(), &[stem.to_owned()]].concat();
        if stem == "tests" {
            // Tests may import any module.
        } else if path.is_dir() {
            find_modules(&path, &module, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let is_the_folders = ["mod", "lib", "main"].contains(&stem);
            found.insert(if is_the_folders { within.clone() } else { module }, path);
        }
    }
}

/// Imported modules, without submodules and the modules around it.
fn graph(modules: &BTreeMap<Module, PathBuf>) -> Graph {
    let re_exports = re_exports(modules);
    let of = |module: &Module, path: &PathBuf| {
        let named = paths(&fs::read_to_string(path).unwrap()).into_iter();
        let named = named.filter_map(|path| target(&path, module, modules, &re_exports));
        named.filter(|other| !module.starts_with(other) && !other.starts_with(module)).collect()
    };
    modules.iter().map(|(module, path)| (module.clone(), of(module, path))).collect()
}

/// Modules that can be reached, including itself if it is in a circle.
fn reached<'a>(graph: &'a Graph, from: &'a Module) -> BTreeSet<&'a Module> {
    let (mut reached, mut pending) = (BTreeSet::new(), vec![from]);
    while let Some(module) = pending.pop() {
        pending.extend(graph[module].iter().filter(|next| reached.insert(*next)));
    }
    reached
}

fn circles(graph: &Graph) -> BTreeSet<Vec<String>> {
    let reached: BTreeMap<_, _> = graph.keys().map(|module| (module, reached(graph, module))).collect();
    let circle = |module: &Module| {
        reached[module].iter().filter(|other| reached[*other].contains(module)).map(|other| other.join("::")).collect()
    };
    graph.keys().map(circle).filter(|circle: &Vec<_>| !circle.is_empty()).collect()
}

#[test]
fn no_files_import_each_other() {
    let mut found = Vec::new();
    for folder in packages().iter().flat_map(|package| &package.roots) {
        let mut files = BTreeMap::new();
        find_modules(&root().join(folder), &Module::new(), &mut files);
        found.extend(circles(&graph(&files)).iter().map(|circle| format!("{folder}: {}", circle.join(", "))));
    }

    assert!(found.is_empty(), "circles of imports: {found:#?}");
}

#[test]
fn finds_paths_in_groups_in_code_and_not_in_comments_or_tests() {
    let source = "use crate::{a::{self, b::C}, d as e, F};\nuse super::super::g;\n// crate::comment\nfn f() { crate::h::i(); }\n\
                  use other::crate_x;\n#[cfg(test)]\nmod tests {\n    use crate::test;\n}\n";

    let found: Vec<_> = paths(source).iter().map(|path| path.join("::")).collect();

    let expected = ["crate::a::self", "crate::a::b::C", "crate::d", "crate::F", "crate::h::i", "super::super::g"];
    assert_eq!(found, expected);
}

#[test]
fn a_circle_of_three_is_found() {
    let module = |name: &str| vec![name.to_owned()];
    let edges = [("a", "b"), ("b", "c"), ("c", "a"), ("d", "a"), ("c", "e")];
    let mut graph: Graph = ["a", "b", "c", "d", "e"].map(|name| (module(name), BTreeSet::new())).into();
    for (from, to) in edges {
        graph.get_mut(&module(from)).unwrap().insert(module(to));
    }

    assert_eq!(circles(&graph), [["a", "b", "c"].map(str::to_owned).to_vec()].into());
}
