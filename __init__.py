# Lets tools that resolve relative imports by folder read the top-level folders as one package.
