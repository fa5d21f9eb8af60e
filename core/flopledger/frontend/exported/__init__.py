"""Graphs of operators as exporters write them: values, calls, records, and the writing into a graph.

Frontends of such formats have a reader of the file's bytes and a table of its operators; the code between
the two is here.
"""
