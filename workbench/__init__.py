"""The workbench: pages for people, made on the server of what the operations answer.

A face like `schema` and `rest_compat`: no rule and no SQL in it. The gateway says who asks and serves the files that
the pages use (`gateway/pages/workbench.py`).
"""
