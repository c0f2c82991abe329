"""Who judges passages, one file each: a model, a service.

Must not know where the passages come from.
"""
