//! Which addresses and node ports a Service gets.
//!
//! Owns the allocation step of creating and updating Services. The allocators themselves are in
//! [`super::allocators`]; which combinations of fields are valid is checked in [`crate::api::kinds`].

use std::sync::Arc;

use super::Cluster;
use super::allocators::Refusal;
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::status::{FieldError, Status};
use crate::api::value::Value;

impl Cluster {
    /// Gives a new or changed Service its cluster address and node ports, writing them into the document.
    ///
    /// # Errors
    ///
    /// `Invalid` where a wanted address or port cannot be had.
    pub(super) fn allocate_service(
        &mut self,
        document: &mut Value,
        before: Option<&Arc<Object>>,
    ) -> Result<(), Status> {
        let name = document.at(&["metadata", "name"]).smol();
        let spec = document.field_mut("spec");
        let kind = spec.get("type").smol();
        let kept = before.is_some_and(|object| object.spec().get("clusterIP") == spec.get("clusterIP"));
        if kind != "ExternalName" && !kept {
            self.allocate_address(spec)
                .map_err(|cause| Status::invalid(Kind::Service, &name, vec![cause]))?;
        }
        if kind == "NodePort" || kind == "LoadBalancer" {
            self.allocate_node_ports(spec)
                .map_err(|cause| Status::invalid(Kind::Service, &name, vec![cause]))?;
        }
        Ok(())
    }

    fn allocate_address(&mut self, spec: &mut Value) -> Result<(), FieldError> {
        let wanted = spec.get("clusterIP").smol();
        if wanted == "None" {
            spec.set("clusterIPs", vec![Value::text("None")]);
            return Ok(());
        }
        let range = &mut self.allocators.services[0];
        let address = match wanted.parse() {
            Ok(address) => {
                range.check(address).map_err(|refusal| {
                    let why = match refusal {
                        Refusal::Taken => "provided IP is already allocated",
                        _ => "the provided network does not match the current range",
                    };
                    let shown = format!("[\"{wanted}\"]");
                    FieldError::invalid(
                        "spec.clusterIPs",
                        shown,
                        format!("failed to allocate IP {wanted}: {why}"),
                    )
                })?;
                address
            }
            Err(_) => range.take(&mut self.random).map_err(|_| {
                FieldError::invalid("spec.clusterIPs", "[]", "failed to allocate a serviceIP: range is full")
            })?,
        };
        let text = Value::from(address.to_string());
        spec.set("clusterIPs", vec![text.clone()]);
        spec.set("clusterIP", text);
        Ok(())
    }

    fn allocate_node_ports(&mut self, spec: &mut Value) -> Result<(), FieldError> {
        for (index, port) in spec.field_mut("ports").list_mut().iter_mut().enumerate() {
            if port.get("nodePort").as_int().unwrap_or(0) != 0 {
                continue;
            }
            let taken = self.allocators.node_ports.take(&mut self.random).map_err(|_| {
                FieldError::invalid(
                    format!("spec.ports[{index}].nodePort"),
                    "0",
                    "failed to allocate a nodePort: range is full",
                )
            })?;
            port.set("nodePort", taken);
        }
        Ok(())
    }
}
