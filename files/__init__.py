"""What leaves as a file: one product or a whole list, in the forms that other programs read.

Records come from the operations that answer the other faces, so that nobody sees more in a file than there.
"""
