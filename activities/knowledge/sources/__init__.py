"""Where documents come from: files, uploads, objects in buckets, addresses.

Must not know how buckets and addresses are reached: adapters do.
"""
