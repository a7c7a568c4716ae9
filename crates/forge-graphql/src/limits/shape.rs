//! The schema as the cost of a query needs it: which type each field has.

use std::collections::HashMap;

use async_graphql::Positioned;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{BaseType, FieldDefinition, Type, TypeKind, TypeSystemDefinition};

/// The fields of all types, read from our own SDL.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    types: HashMap<String, HashMap<String, FieldShape>>,
}

/// A field.
#[derive(Debug)]
pub(crate) struct FieldShape {
    /// The name of its type, without list and nullability.
    pub(crate) type_name: String,
    /// Whether it is a connection, which has to be paged.
    pub(crate) is_connection: bool,
}

impl Shape {
    /// Reads the schema.
    ///
    /// # Panics
    /// If the SDL is malformed, which the executor that wrote it never does.
    pub(crate) fn read(sdl: &str) -> Self {
        let document = parse_schema(sdl).expect("our own SDL can be read");
        let mut shape = Self::default();
        for definition in document.definitions {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            let fields = match definition.node.kind {
                TypeKind::Object(object) => object.fields,
                TypeKind::Interface(interface) => interface.fields,
                TypeKind::Scalar | TypeKind::Union(_) | TypeKind::Enum(_) | TypeKind::InputObject(_) => {
                    continue;
                }
            };
            let fields = fields.into_iter().map(field).collect();
            shape.types.insert(definition.node.name.node.to_string(), fields);
        }
        shape
    }

    /// Returns the field `name` of the type `type_name`; `None` for introspection and unknown names.
    pub(crate) fn field(&self, type_name: &str, name: &str) -> Option<&FieldShape> {
        self.types.get(type_name)?.get(name)
    }
}

fn field(definition: Positioned<FieldDefinition>) -> (String, FieldShape) {
    let definition = definition.node;
    let type_name = base_name(&definition.ty.node).to_owned();
    let is_paged = definition.arguments.iter().any(|argument| argument.node.name.node == "first");
    let is_connection = is_paged && type_name.ends_with("Connection");
    (definition.name.node.to_string(), FieldShape { type_name, is_connection })
}

fn base_name(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(inner) => base_name(inner),
    }
}
