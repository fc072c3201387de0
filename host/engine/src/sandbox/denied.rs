//! Interfaces that a language's runtime imports without need, and that no handler gets: files, sockets,
//! the command line, the environment. The host's own implementations are never linked. Functions that
//! return nothing, or that access is denied, stand in their place, for every version of WASI 0.2.

use super::state::State;
use wasmtime::component::types::{ComponentFunc, ComponentInstance, ComponentItem};
use wasmtime::component::{Component, Linker, Resource, ResourceAny, ResourceType, Type, Val};
use wasmtime::{Engine, Error, Result, StoreContextMut};

/// Interfaces that a component may import and that are empty, by the beginning of their names.
const DENIED: [&str; 4] =
    ["wasi:cli/environment@", "wasi:cli/terminal-", "wasi:filesystem/", "wasi:sockets/"];

/// Resources of other interfaces, which are given.
const GIVEN: [&str; 4] = ["error", "input-stream", "output-stream", "pollable"];

/// Stands for a file, a socket, a terminal: there is none.
struct Nothing;

/// Adds to a linker what the component imports of [`DENIED`].
pub(crate) fn add_to_linker(
    linker: &mut Linker<State>,
    engine: &Engine,
    component: &Component,
) -> Result<()> {
    for (name, item) in component.component_type().imports(engine) {
        let ComponentItem::ComponentInstance(interface) = &item.ty else { continue };
        if DENIED.iter().any(|denied| name.starts_with(denied)) {
            add_interface(linker, engine, name, interface)?;
        }
    }
    Ok(())
}

fn add_interface(
    linker: &mut Linker<State>,
    engine: &Engine,
    name: &str,
    interface: &ComponentInstance,
) -> Result<()> {
    let mut instance = linker.instance(name)?;
    for (name, item) in interface.exports(engine) {
        match &item.ty {
            ComponentItem::ComponentFunc(_) => {
                let function = name.to_owned();
                instance.func_new_async(name, move |mut store, ty, parameters, results| {
                    let function = function.clone();
                    Box::new(async move {
                        for parameter in parameters {
                            if let Val::Resource(lent) = parameter {
                                lent.resource_drop_async(&mut store).await?;
                            }
                        }
                        answer(store, &function, &ty, results)
                    })
                })?;
            }
            ComponentItem::Resource(_) if !GIVEN.contains(&name) => {
                instance.resource(name, ResourceType::host::<Nothing>(), |_, _| Ok(()))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Returns nothing where the function may, and else that access is denied.
fn answer(
    mut store: StoreContextMut<'_, State>,
    name: &str,
    ty: &ComponentFunc,
    results: &mut [Val],
) -> Result<()> {
    for (result, ty) in results.iter_mut().zip(ty.results()) {
        *result = match nothing(&ty) {
            Some(nothing) => nothing,
            // The network, which every attempt to use it names.
            None if matches!(ty, Type::Own(_)) => {
                let network = Resource::<Nothing>::new_own(0);
                Val::Resource(ResourceAny::try_from_resource(network, &mut store)?)
            }
            None => return Err(Error::msg(format!("{name} is not for handlers"))),
        };
    }
    Ok(())
}

fn nothing(ty: &Type) -> Option<Val> {
    Some(match ty {
        Type::List(_) => Val::List(Vec::new()),
        Type::Option(_) => Val::Option(None),
        Type::Result(result) => {
            let Type::Enum(codes) = result.err()? else { return None };
            let denied = ["access", "access-denied"];
            let code = codes.names().find(|code| denied.contains(code))?;
            Val::Result(Err(Some(Box::new(Val::Enum(code.to_owned())))))
        }
        _ => return None,
    })
}
