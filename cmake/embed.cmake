# Writes a text into a C++ source: cmake -D INPUT=FILE -D OUTPUT=FILE -D NAME=VARIABLE -D HEADER=HEADER -P embed.cmake
file(READ ${INPUT} content)
file(WRITE ${OUTPUT} "#include \"${HEADER}\"

namespace brood {
const std::string_view ${NAME} = R\"embedded(${content})embedded\";
}  // namespace brood
")
