"""Explaining, cause by cause, why two figures of one network differ."""
