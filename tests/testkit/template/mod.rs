//! The stacks that CloudFormation makes of `template.yaml`: transformed by SAM's own translator, with conditions and
//! intrinsic functions evaluated. Tests check in them what no emulator does as AWS does it.
//!
//! Generated names are unique, and look like AWS's.

mod expansion;
mod identifiers;
mod intrinsics;
mod parameters;

pub use expansion::{Source, expand};
pub use identifiers::Place;
pub use parameters::ParameterSet;

use intrinsics::Evaluation;
use serde_json::{Map, Value};
use std::{collections::BTreeMap, sync::LazyLock};

/// A set's stack.
pub struct CreatedStack {
    /// The set's name.
    pub name: String,
    /// Where it is.
    pub place: Place,
    /// Defaults included.
    pub parameters: BTreeMap<String, String>,
    /// Its outputs.
    pub outputs: Map<String, Value>,
    /// Unknown names, and parameters and rules that CloudFormation would refuse.
    pub problems: Vec<String>,
    resources: BTreeMap<String, Resource>,
}

/// A created resource.
pub struct Resource {
    /// Its type.
    pub kind: String,
    /// Evaluated.
    pub properties: Value,
    /// When the stack is deleted.
    pub deletion_policy: String,
    /// Returned by `Ref`.
    pub reference: String,
    arn: Option<String>,
}

static STACKS: LazyLock<Vec<CreatedStack>> = LazyLock::new(|| {
    let sets = parameters::all();
    let expansions = expand(&Source::default(), &sets);
    sets.into_iter().zip(expansions).map(|(set, template)| CreatedStack::new(set, &template)).collect()
});

/// One for each set of parameters.
pub fn stacks() -> &'static [CreatedStack] {
    &STACKS
}

impl CreatedStack {
    /// CloudFormation's result for a transformed template.
    pub fn new(set: ParameterSet, template: &Value) -> Self {
        let ParameterSet { name, place, given } = set;
        let parameters = parameters::with_defaults(template, &given);
        let mut evaluation = Evaluation::new(template, &parameters, place);
        let resources = evaluation.created().into_iter().map(|(id, definition)| {
            let properties = evaluation.value(&definition["Properties"], id).unwrap_or_default();
            evaluation.check_dependencies(id, definition);
            let kind = definition["Type"].as_str().unwrap().to_owned();
            let reference = evaluation.reference(id).unwrap_or_else(|| id.clone());
            // Only topics call their ARN `TopicArn`.
            let arn = evaluation.attribute(id, "Arn").or_else(|| evaluation.attribute(id, "TopicArn"));
            let deletion_policy = definition["DeletionPolicy"].as_str().unwrap_or("Delete").to_owned();
            (id.clone(), Resource { kind, properties, deletion_policy, reference, arn })
        });
        let resources = resources.collect();
        let outputs = evaluation.outputs();
        let mut problems = evaluation.into_problems();
        problems.extend(parameters::refused(template, &given, &parameters, place));
        Self { name, place, parameters, outputs, problems, resources }
    }

    /// All resources, by logical id.
    pub fn resources(&self) -> &BTreeMap<String, Resource> {
        &self.resources
    }

    /// By logical id.
    pub fn resource(&self, id: &str) -> &Resource {
        self.resources.get(id).unwrap_or_else(|| panic!("{}: {id} does not exist", self.name))
    }

    /// Of one type, by logical id.
    pub fn of_type(&self, kind: &str) -> impl Iterator<Item = (&str, &Resource)> {
        let resources = self.resources.iter().filter(move |(_, resource)| resource.kind == kind);
        resources.map(|(id, resource)| (id.as_str(), resource))
    }

    /// The only one of a type, if any.
    pub fn only(&self, kind: &str) -> Option<&Resource> {
        let mut found = self.of_type(kind);
        let first = found.next().map(|(_, resource)| resource);
        assert!(found.next().is_none(), "{}: more than one {kind}", self.name);
        first
    }

    /// By ARN; for an index, its table. Source: AWS Service Authorization Reference, "Amazon `DynamoDB`".
    pub fn by_arn(&self, arn: &str) -> Option<(&str, &Resource)> {
        let arn = arn.split_once("/index/").map_or(arn, |(table, _)| table);
        let mut found = self.resources.iter().filter(|(_, resource)| resource.arn.as_deref() == Some(arn));
        found.next().map(|(id, resource)| (id.as_str(), resource))
    }

    /// The REST API's definition.
    pub fn rest_api(&self) -> &Value {
        &self.only("AWS::ApiGateway::RestApi").unwrap().properties["Body"]
    }

    /// Name of both APIs' stage.
    pub fn stage(&self) -> &str {
        text(&self.only("AWS::ApiGateway::Stage").unwrap().properties["StageName"])
    }
}

impl Resource {
    /// Its ARN.
    ///
    /// # Panics
    /// When the type has none.
    pub fn arn(&self) -> &str {
        self.arn.as_deref().unwrap_or_else(|| panic!("{}: no ARN of {} is known", self.reference, self.kind))
    }
}

/// The value must be text.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is not text"))
}
