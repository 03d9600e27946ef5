//! Compares the graph and the places in `docs/architecture.md` with the repository.

use std::collections::{BTreeMap, BTreeSet};
use testkit::repository::{self, Package, packages, root};

const DOCUMENT: &str = "docs/architecture.md";

/// The first fenced block after that text.
fn block<'a>(document: &'a str, after: &str) -> Vec<&'a str> {
    let (_, rest) = document.split_once(after).unwrap_or_else(|| panic!("{DOCUMENT}: {after:?} is missing"));
    let (_, rest) = rest.split_once("\n```").unwrap_or_else(|| panic!("{DOCUMENT}: a block must follow {after:?}"));
    rest.lines().skip(1).take_while(|line| *line != "```").collect()
}

/// The document's graph. A node is a package, or a group: the packages in its label, or those of a folder.
#[derive(Default)]
struct Drawing {
    groups: BTreeMap<String, String>,
    edges: BTreeSet<(String, String)>,
}

impl Drawing {
    /// Reads lines of `a --> b & c`, `a -- why --> b` and `a[label] --> b`.
    fn read(lines: &[&str]) -> Self {
        let mut drawing = Self::default();
        for line in lines.iter().filter(|line| !line.trim().is_empty() && !line.starts_with("flowchart")) {
            let (left, right) = line.split_once("-->").unwrap_or_else(|| panic!("{DOCUMENT}: not an edge: {line}"));
            let left = left.split(" -- ").next().unwrap();
            let [left, right] =
                [left, right].map(|side| side.split('&').map(|node| drawing.node(node)).collect::<Vec<_>>());
            let pairs = left.iter().flat_map(|from| right.iter().map(|to| (from.clone(), to.clone())));
            drawing.edges.extend(pairs);
        }
        drawing
    }

    fn node(&mut self, text: &str) -> String {
        let Some((name, label)) = text.trim().trim_end_matches(']').split_once('[') else {
            return text.trim().to_owned();
        };
        self.groups.insert(name.to_owned(), label.trim_matches('"').to_owned());
        name.to_owned()
    }

    fn stands_for(&self, node: &str, package: &Package) -> bool {
        let label = self.groups.get(node).map_or(node, String::as_str);
        label.split(", ").any(|part| is_or_holds(part, package))
    }

    /// Corrections that make it fit the packages.
    fn corrections(&self, packages: &[Package]) -> BTreeSet<String> {
        let mut corrections = BTreeSet::new();
        let node = |package: &Package| {
            let group = self.groups.keys().find(|group| self.stands_for(group, package));
            group.unwrap_or(&package.name).clone()
        };
        for package in packages {
            let named =
                package.dependencies.iter().chain(&package.dev_dependencies).filter(|name| **name != package.name);
            for other in packages.iter().filter(|other| named.clone().any(|name| *name == other.name)) {
                let is_it =
                    |(from, to): &(String, String)| self.stands_for(from, package) && self.stands_for(to, other);
                if !self.edges.iter().any(is_it) {
                    corrections.insert(format!(
                        "add {} --> {}, or remove the dependency of {}",
                        node(package),
                        node(other),
                        package.name
                    ));
                }
            }
        }
        for (group, label) in &self.groups {
            let unknown = label.split(", ").filter(|part| !packages.iter().any(|package| is_or_holds(part, package)));
            corrections.extend(unknown.map(|part| format!("remove {part} from {group}")));
        }
        for (from, to) in &self.edges {
            let targets: Vec<_> = packages.iter().filter(|package| self.stands_for(to, package)).collect();
            let depends = |package: &Package| {
                let mut named = package.dependencies.iter().chain(&package.dev_dependencies);
                named.any(|name| targets.iter().any(|target| target.name == *name))
            };
            if !packages.iter().any(|package| self.stands_for(from, package) && depends(package)) {
                corrections.insert(format!("remove {from} --> {to}"));
            }
        }
        corrections
    }
}

/// Whether `part` is the package's name, or `folder/*` of its folder.
fn is_or_holds(part: &str, package: &Package) -> bool {
    let in_folder = |folder| package.folder.rsplit_once('/').is_some_and(|(parent, _)| parent == folder);
    part == package.name || part.strip_suffix("/*").is_some_and(in_folder)
}

#[test]
fn the_graph_has_the_dependencies_of_the_packages() {
    let document = repository::read(DOCUMENT);

    let drawing = Drawing::read(&block(&document, "\nDependencies point one way"));

    let corrections = drawing.corrections(&packages());
    assert_eq!(corrections, BTreeSet::new(), "{DOCUMENT}, the flowchart of dependencies");
}

const PLACES: [&str; 6] = ["bench/", "crates/", "docs/", "functions/", "infra/", "tests/"];

#[test]
fn every_described_path_exists_and_every_package_is_described() {
    let document = repository::read(DOCUMENT);
    let lines = block(&document, "\n## Where things are");
    // A continuation line begins with white space.
    let described: Vec<_> =
        lines.iter().map(|line| line.split(' ').next().unwrap()).filter(|path| !path.is_empty()).collect();
    let is_path =
        |code: &&str| PLACES.iter().any(|place| code.starts_with(place)) && !code.contains(char::is_whitespace);

    for path in document.split('`').skip(1).step_by(2).filter(is_path).chain(described.iter().copied()) {
        assert!(root().join(path).exists(), "{DOCUMENT}: {path} does not exist");
    }
    for Package { folder, .. } in packages() {
        let is_described = described.iter().any(|path| format!("{folder}/").starts_with(*path));
        assert!(is_described, "{DOCUMENT}: describe {folder}/");
    }
}

#[test]
fn wrong_and_missing_edges_are_found_in_groups_too() {
    let package = |folder: &str, dependencies: &[&str]| Package {
        name: folder.rsplit('/').next().unwrap().to_owned(),
        folder: folder.to_owned(),
        roots: BTreeSet::new(),
        dependencies: dependencies.iter().map(ToString::to_string).collect(),
        dev_dependencies: BTreeSet::new(),
        binaries: Vec::new(),
    };
    let packages = [
        package("functions/f", &["b", "serde"]),
        package("crates/a", &["b"]),
        package("crates/b", &["c"]),
        package("crates/c", &[]),
    ];
    let drawn = |lines: &[&str]| Drawing::read(lines).corrections(&packages).into_iter().collect::<Vec<_>>();

    assert_eq!(
        drawn(&["flowchart TD", r#"  all["functions/*"] -- why --> b"#, "  more[a] --> b", "  b --> c"]),
        [""; 0]
    );
    assert_eq!(
        drawn(&[r#"  all["functions/*"] --> b & c"#, "  b --> c"]),
        ["add a --> b, or remove the dependency of a", "remove all --> c"]
    );
    assert_eq!(
        drawn(&[r#"all["functions/*"] --> c"#, "a --> b", "b --> c", "gone[d] --> b"]),
        ["add all --> b, or remove the dependency of f", "remove all --> c", "remove d from gone", "remove gone --> b"]
    );
}
